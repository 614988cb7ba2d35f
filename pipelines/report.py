"""`tailwatch report`: reports/index.html, one page that shows what the last comparison found and why.

Reads outs/ and, for pictures, the store; measures what each bundle costs, once. The page needs no server
and no script.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from components.core import system
from components.core.files import write_text
from components.core.tables import read_csv
from components.datasets.clips import SIDES, Label
from pipelines.artifacts import Project, read_labels, read_out
from pipelines.reporting.alarms import alarms_section
from pipelines.reporting.anomalies import anomalies_section
from pipelines.reporting.breakdown import breakdown_section
from pipelines.reporting.charts import all_charts
from pipelines.reporting.costs import costs_section
from pipelines.reporting.data import data_section
from pipelines.reporting.doubts import doubts_section
from pipelines.reporting.embedding import embedding_section
from pipelines.reporting.explained import Models
from pipelines.reporting.folds import folds_plot, folds_section
from pipelines.reporting.gallery import gallery_clips, gallery_section
from pipelines.reporting.importance import importance_section
from pipelines.reporting.occlusion import occlusion_section
from pipelines.reporting.pictures import Sheet, draw_sheets, wanted_clips
from pipelines.reporting.variations import variations_section

TEMPLATES = Path(__file__).parent / "templates"
SUSPECTS_SHOWN = 8
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
    models = Models(project, comparison)
    gallery = gallery_section(models)
    suspects = [row["clip_id"] for row in comparison["suspected_labels"][:SUSPECTS_SHOWN]]
    wanted = dict.fromkeys([*suspects, *gallery_clips(gallery)])
    sheets = draw_sheets(project, shown, [clip_id for clip_id in wanted if clip_id not in shown])
    page = project.root / "reports" / "index.html"
    write_text(page, render(context(models, labels, shown, sheets, gallery)))
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
    environment.filters |= {"scaled": as_scaled, "ms": as_ms, "duration": as_duration}
    return environment.get_template("report.html").render(values)


def context(
    models: Models,
    labels: Mapping[str, Label],
    shown: Mapping[str, str],
    sheets: Mapping[str, Sheet],
    gallery: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Everything that the page says."""
    project, comparison = models.project, models.comparison
    params = project.params
    folds = folds_section(project, comparison)
    alarms = alarms_section(project, comparison)
    anomalies = anomalies_section(project, comparison)
    variations = variations_section(project)
    charts = all_charts(project, comparison) | {
        "folds": folds_plot(folds["rows"]) if folds else "",
        "alarms": {row["model"]: row["chart"] for row in alarms},
        "anomalies": {row["model"]: row["chart"] for row in anomalies},
        "variations": {entry["name"]: entry["chart"] for entry in variations},
    }
    return {
        "params": params,
        "classes": params.dataset.classes,
        "data_set": project.dataset_name,
        "commit": _commit(project.root),
        "drawn": system.utc_now().strftime("%Y-%m-%d %H:%M UTC"),
        "comparison": comparison,
        "verdict": comparison["verdict_without_champion"],
        "doubts": doubts_section(project, comparison),
        "rows": table_rows(comparison["models"]),
        "table_metrics": TABLE_METRICS,
        "papers": comparison["papers"],
        "charts": {name: _safe(value) for name, value in charts.items()},
        "folds": folds,
        "alarms": alarms,
        "anomalies": anomalies,
        "variations": variations,
        "breakdown": breakdown_section(project, folds),
        "costs": costs_section(project, comparison),
        "data": data_section(labels, params.dataset.classes),
        "ingest": read_out(project, "ingest", "report.json"),
        "coverage": coverage_section(read_out(project, "normalize", "coverage.json"), params.dataset.classes),
        "min_coverage": params.featurize.min_coverage,
        "shown": shown,
        "sheets": sheets,
        "gallery": gallery,
        "embedding": embedding_section(models),
        "occlusion": occlusion_section(models),
        "importance": importance_section(models),
        "suspects": comparison["suspected_labels"][:SUSPECTS_SHOWN],
        "n_suspects": len(comparison["suspected_labels"]),
    }


def table_rows(models: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row of the comparison per model, the most accurate first; ties in the order of params.yaml."""
    rows = [_table_row(model) for model in models]
    return sorted(rows, key=lambda row: -(row["accuracy"]["value"] or 0.0))


def coverage_section(found: Mapping[str, Any], classes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Coverage by class and by side, each in its usual order."""
    orders = {"classes": classes, "sides": SIDES}
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


def as_scaled(value: float | None) -> str:
    """A large number in three figures with its letter: 2 340 000 -> "2.34 M"."""
    if value is None:
        return "–"
    size, letter = next(((s, n) for s, n in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if value >= s), (1.0, ""))
    return f"{value / size:.3g}\u202f{letter}".rstrip("\u202f")


def as_ms(value: float) -> str:
    """Milliseconds in three figures."""
    return f"{value:.0f}\u202fms" if value >= 100 else f"{value:.3g}\u202fms"


def as_duration(seconds: float) -> str:
    """Seconds, or minutes, or hours and minutes."""
    if seconds < 100:
        return f"{seconds:.3g}\u202fs"
    minutes = round(seconds / 60)
    return f"{minutes}\u202fmin" if minutes < 100 else f"{minutes // 60}\u202fh {minutes % 60}\u202fmin"


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
