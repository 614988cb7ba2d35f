"""What the report says of all folds: every model's numbers, and which of them are ties."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.core.files import read_json
from components.serving.charts import Axis, Range, forest_plot
from pipelines.artifacts import Project

METRICS = (("macro_f1", "Macro F1"), ("roc_auc", "ROC AUC"))


def folds_section(project: Project, comparison: Mapping[str, Any]) -> dict[str, Any] | None:
    """The section's contents; None where the comparison knows no folds."""
    folds = comparison["folds"]
    if folds is None:
        return None
    rows = fold_rows(folds)
    cut = {row["model"]: cut_short(project, row["model"]) for row in rows}
    first = folds["models"][0]
    return {
        "rows": [row | {"cut_short": cut[row["model"]]} for row in rows],
        "metrics": METRICS,
        "folds": len(first["parts"]) // len(first["seeds"]),
        "seeds": first["seeds"],
        "cut_short": [name for name, was in cut.items() if was],
        "unknown": [name for name, was in cut.items() if was is None],
    }


def fold_rows(folds: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per model, the most accurate first; `pair` is the best against it, None of the best itself."""
    pairs = {pair["second"]: pair for pair in folds["paired"]}
    rows = [
        {
            **{name: model[name] for name in ("model", "metrics", "n", "n_groups", "parts")},
            "accuracy": model["metrics"]["accuracy"],
            "pair": pairs.get(model["model"]),
            "colour": place,
        }
        for place, model in enumerate(folds["models"])
    ]
    return sorted(rows, key=lambda row: (row["pair"] is not None, -row["accuracy"]["value"], row["model"]))


def cut_short(project: Project, model_id: str) -> bool | None:
    """Whether the budget ended the training on the holdout split; None where there is no bundle."""
    path = project.out("train", model_id, "bundle.json")
    return bool(read_json(path)["training"].get("cut_short")) if path.is_file() else None


def folds_plot(rows: Sequence[Mapping[str, Any]]) -> str:
    """Accuracy of every model over all folds with its interval."""
    return forest_plot(
        [_range(row) for row in rows],
        Axis("accuracy over all folds"),
        summary="Accuracy over all folds with intervals over source groups: "
        + ", ".join(f"{row['model']} {row['accuracy']['value']:.3f}" for row in rows),
    )


def _range(row: Mapping[str, Any]) -> Range:
    found = row["accuracy"]
    note = f"{row['n']} clips of {row['n_groups']} source groups"
    if found["low"] is not None:
        note += f", {found['low']:.3f} to {found['high']:.3f}"
    return Range(row["model"], found["value"], found["low"], found["high"], row["colour"], note)
