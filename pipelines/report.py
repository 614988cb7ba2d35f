"""`tailwatch report`: reports/index.html, one page that shows what the last comparison found and why.

Reads outs/ and, for pictures, the store. The page needs no server and no script.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from components.core import system
from components.core.files import write_text
from components.core.tables import read_csv
from components.datasets.clips import Label
from pipelines.artifacts import Project, read_labels, read_out
from pipelines.report_charts import all_charts
from pipelines.report_pictures import Sheet, draw_sheets, wanted_clips

TEMPLATES = Path(__file__).parent / "templates"
MISTAKES_SHOWN, SUSPECTS_SHOWN = 4, 8
SPLITS = ("train", "val", "test")
TABLE_METRICS = (
    ("macro_f1", "Macro F1"),
    ("roc_auc", "ROC AUC"),
    ("pr_auc", "PR AUC"),
    ("brier", "Brier"),
    ("ece", "ECE"),
)


SHOWN = (
    *("model", "source", "accuracy", "accuracy_low", "accuracy_high"),
    *("macro_f1", "roc_auc", "n", "n_groups"),
)


def comparison_rows(project: Project) -> list[dict[str, Any]]:
    """The comparison's table, the columns that a terminal has room for."""
    rows = read_csv(project.out("compare", "table.csv"), SHOWN)
    return [{name: _number(row[name]) for name in SHOWN} for row in rows]


def _number(text: str) -> Any:
    try:
        return float(text) if "." in text else text or None
    except ValueError:
        return text


def run(project: Project) -> Path:
    """Draw the page and its pictures anew.

    Raises:
        BadDataError: there is no comparison yet.
    """
    comparison = read_out(project, "compare", "comparison.json")
    labels = read_labels(project)
    shown = wanted_clips(labels, project.params.report.clips_per_class)
    wrong = _wrong_clips(comparison)
    sheets = draw_sheets(project, shown, [clip_id for clip_id in wrong if clip_id not in shown])
    page = project.root / "reports" / "index.html"
    write_text(page, render(context(project, comparison, labels, shown, sheets)))
    return page


def render(values: Mapping[str, Any]) -> str:
    """The page's HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"share": as_share, "number": as_number, "signed": as_signed, "count": as_count}
    return environment.get_template("report.html").render(values)


def context(
    project: Project,
    comparison: Mapping[str, Any],
    labels: Mapping[str, Label],
    shown: Mapping[str, str],
    sheets: Mapping[str, Sheet],
) -> dict[str, Any]:
    """Everything that the page says."""
    params = project.params
    return {
        "params": params,
        "classes": params.dataset.classes,
        "root": params.dataset_root(),
        "commit": _commit(project.root),
        "drawn": system.utc_now().strftime("%Y-%m-%d %H:%M UTC"),
        "comparison": comparison,
        "verdict": comparison["verdict_without_champion"],
        "rows": table_rows(comparison["models"]),
        "table_metrics": TABLE_METRICS,
        "papers": comparison["papers"],
        "charts": {name: _safe(value) for name, value in all_charts(project, comparison).items()},
        "data": data_section(labels, params.dataset.classes),
        "ingest": read_out(project, "ingest", "report.json"),
        "coverage": coverage_section(read_out(project, "normalize", "coverage.json"), params.dataset.classes),
        "min_coverage": params.featurize.min_coverage,
        "shown": shown,
        "sheets": sheets,
        "mistakes": _mistakes(comparison),
        "suspects": comparison["suspected_labels"][:SUSPECTS_SHOWN],
        "n_suspects": len(comparison["suspected_labels"]),
    }


def table_rows(models: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row of the comparison per model, the most accurate first; ties in the order of params.yaml."""
    rows = [_table_row(model) for model in models]
    return sorted(rows, key=lambda row: -(row["accuracy"]["value"] or 0.0))


def data_section(labels: Mapping[str, Label], classes: Sequence[str]) -> dict[str, Any]:
    """Clips and source groups by class and split, and what was set aside why."""
    used = [label for label in labels.values() if label.holdout]
    aside = [label for label in labels.values() if not label.holdout]
    sides = [*SPLITS, *sorted({label.holdout for label in used} - set(SPLITS))]
    clips = Counter((label.label, label.holdout) for label in used)
    groups = {(label.label, label.holdout, label.source) for label in used}
    return {
        "sides": sides,
        "rows": [
            {
                "name": name,
                "cells": [
                    {"clips": clips[name, side], "groups": _groups(groups, name, side)} for side in sides
                ],
                "clips": sum(clips[name, side] for side in sides),
                "groups": len({source for label, _, source in groups if label == name}),
            }
            for name in classes
        ],
        "clips": len(used),
        "groups": len({label.source for label in used}),
        "sources": _by_source(used, classes),
        "aside": sorted(aside, key=lambda label: (label.reason, label.clip_id)),
    }


def coverage_section(found: Mapping[str, Any], classes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Coverage by class and by side, each in its usual order."""
    orders = {"classes": classes, "sides": SPLITS}
    return {
        kind: {name: found[kind][name] for name in order if name in found[kind]}
        for kind, order in orders.items()
    }


def as_share(value: float | None) -> str:
    """A share in [0, 1] with three decimals; a dash where it is undefined."""
    return "–" if value is None else f"{value:.3f}"


def as_signed(value: float | None) -> str:
    """A difference with its sign."""
    return "–" if value is None else f"{value:+.3f}".replace("-", "−")


def as_number(value: float | None) -> str:
    """A p value or the like, in four significant figures at most."""
    return "–" if value is None else ("< 0.001" if 0 <= value < 0.001 else f"{value:.3f}")


def as_count(value: int | None) -> str:
    """A whole number with thin spaces between thousands."""
    return "–" if value is None else f"{value:,}".replace(",", "\u202f")


def _table_row(model: Mapping[str, Any]) -> dict[str, Any]:
    test, metrics = model["splits"]["test"]["clips"], model["splits"]["test"]["clips"]["metrics"]
    recalls = {
        name.removeprefix("recall_"): found for name, found in metrics.items() if name.startswith("recall_")
    }
    return {
        "model": model["model"],
        "is_baseline": model["is_baseline"],
        "view": model["view"],
        "parameters": model["parameters"],
        "accuracy": metrics["accuracy"],
        "wilson": test["wilson"]["accuracy"],
        "val_accuracy": model["splits"]["val"]["clips"]["metrics"]["accuracy"]["value"],
        "recalls": recalls,
        "metrics": {name: metrics[name] for name, _ in TABLE_METRICS},
        "paper_convention": test["paper_convention"],
        "coverage": test["coverage"],
        "n": test["n"],
        "n_groups": test["n_groups"],
    }


def _groups(groups: set[tuple[str, str, str]], name: str, side: str) -> int:
    return len({source for label, holdout, source in groups if (label, holdout) == (name, side)})


def _by_source(used: Sequence[Label], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Clips of each source group by class, the largest group first."""
    counts = Counter((label.source, label.label) for label in used)
    sides = {label.source: label.holdout for label in used}
    rows = [
        {"source": source, "side": side, "cells": [counts[source, name] for name in classes]}
        for source, side in sides.items()
    ]
    return sorted(rows, key=lambda row: (-sum(row["cells"]), row["source"]))


def _mistakes(comparison: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The worst mistakes of the models that are no baselines, or of all if there are only baselines."""
    learned = [model["model"] for model in comparison["models"] if not model["is_baseline"]]
    found = comparison["worst_mistakes"]
    return {name: found[name][:MISTAKES_SHOWN] for name in learned or found}


def _wrong_clips(comparison: Mapping[str, Any]) -> list[str]:
    """Clips to be shown because a model or a label is wrong about them, each once."""
    mistakes = [row for rows in _mistakes(comparison).values() for row in rows]
    rows = [*comparison["suspected_labels"][:SUSPECTS_SHOWN], *mistakes]
    return list(dict.fromkeys(str(row["clip_id"]) for row in rows))


def _safe(value: Any) -> Any:
    """Charts are our own SVG: the template must not escape them."""
    if isinstance(value, str):
        return Markup(value)  # noqa: S704
    if isinstance(value, Mapping):
        return {name: _safe(item) for name, item in value.items()}
    return [_safe(item) for item in value] if isinstance(value, list) else value


def _commit(root: Path) -> str:
    """The checkout's commit, or empty where there is none."""
    found = system.run(["git", "describe", "--always", "--dirty", "--abbrev=12"], cwd=root)
    return found.stdout.strip() if found.returncode == 0 else ""
