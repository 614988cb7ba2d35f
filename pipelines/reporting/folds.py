"""What the report says of all folds: every model's numbers, and which of them are ties."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.core.files import read_json
from components.core.tables import read_csv
from components.models.fold_table import cut_short_of_folds
from components.serving.charts import Axis, Range, forest_plot
from pipelines.artifacts import Project

METRICS = (("macro_f1", "Macro F1"), ("roc_auc", "ROC AUC"))


def folds_section(project: Project, comparison: Mapping[str, Any]) -> dict[str, Any] | None:
    """The section's contents; None where the comparison knows no folds."""
    folds = comparison["folds"]
    if folds is None:
        return None
    rows = fold_rows(folds)
    cut = {row["model"]: _cut_short(project, row["model"]) for row in rows}
    first = folds["models"][0]
    return {
        "rows": [row | {"cut_short": cut[row["model"]]} for row in rows],
        "metrics": METRICS,
        "folds": len(first["parts"]) // len(first["seeds"]),
        "seeds": first["seeds"],
        "cut_short": {name: found for name, found in cut.items() if found["holdout"] or found["folds"]},
        "unknown": [name for name, found in cut.items() if found["folds"] is None],
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


def _cut_short(project: Project, model_id: str) -> dict[str, Any]:
    """What the budget of steps ended: the training on the holdout split, and how many of the folds'.

    Returns:
        `holdout`; `folds` of `trainings`, None where train did not say it of all of them.
    """
    bundle, table = (project.out("train", model_id, name) for name in ("bundle.json", "folds.csv"))
    of_folds = cut_short_of_folds(read_csv(table)) if table.is_file() else []
    known = [was for was in of_folds if was is not None]
    return {
        "holdout": bundle.is_file() and bool(read_json(bundle)["training"].get("cut_short")),
        "folds": sum(known) if known and len(known) == len(of_folds) else None,
        "trainings": len(of_folds),
    }


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
