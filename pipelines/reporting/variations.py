"""What `tailwatch vary` found: its tables, their charts and what the report says of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.core.tables import read_csv
from components.serving.charts import Axis, Range, Series, forest_plot, line_chart
from pipelines.artifacts import Project
from pipelines.variations import SHARE

FOLDER = Path("reports", "variations")
STYLE = Path(__file__).parents[1] / "templates" / "report.css"
SIDES, METRICS = ("val", "test"), ("accuracy", "roc_auc")
LONGEST = 28  # letters of a row's name in a chart
_TOLD = ("train_clips", "train_groups", "trainings", "epochs", "cut_short")
_NUMBERS = tuple(
    f"{side}_{name}"
    for side in SIDES
    for name in (
        *("n", "groups"),
        *(f"{metric}{bound}" for metric in METRICS for bound in ("", "_low", "_high", "_spread")),
    )
)
_KNOWN = ("model", "protocol", *_TOLD, *_NUMBERS, "key", "failed")

Table = list[dict[str, Any]]


def columns(settings: Sequence[str]) -> tuple[str, ...]:
    """Columns of a table of variations over some settings."""
    return ("model", *settings, *_KNOWN[1:])


def read_table(path: Path) -> Table:
    """The rows of a table, the best on val first, failed ones last; numbers as numbers, None where empty.

    Each has `settings`: what was varied, as text by name.

    Raises:
        BadDataError: it is no table of variations.
    """
    rows = [_row(row) for row in read_csv(path, _KNOWN)]
    return sorted(rows, key=lambda row: 1.0 if row["val_accuracy"] is None else -row["val_accuracy"])


def in_short(path: Path) -> list[dict[str, Any]]:
    """The columns of a table that a terminal has room for."""
    return [row["settings"] | _shown(row) for row in read_table(path)]


def variations_section(project: Project) -> list[dict[str, Any]]:
    """One entry per table that lies there."""
    paths = sorted((project.root / FOLDER).glob("*.csv"))
    return [_entry(path, table) for path in paths if (table := read_table(path))]


def chart(table: Table) -> str:
    """A learning curve where the share of the train side was varied, else a forest plot; SVG."""
    judged = [row for row in table if row["test_accuracy"] is not None]
    return _curve(judged) if SHARE in table[0]["settings"] else _forest(judged)


def chart_file(table: Table) -> str:
    """The chart as a file of its own, coloured as in the report."""
    style = f"<style><![CDATA[{STYLE.read_text(encoding='utf-8')}]]></style>"
    head, _, rest = chart(table).partition(">")
    return f'{head} xmlns="http://www.w3.org/2000/svg" font-family="sans-serif">{style}{rest}\n'


def _row(row: Mapping[str, str]) -> dict[str, Any]:
    numbers = {name: float(row[name]) if row[name] else None for name in (*_TOLD, *_NUMBERS)}
    texts = {name: row[name] for name in ("model", "protocol", "key", "failed")}
    return {**texts, **numbers, "settings": {name: row[name] for name in row if name not in _KNOWN}}


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: row[name] for name in ("train_clips", "epochs", "cut_short")}
    shown = {name: None if value is None else f"{value:g}" for name, value in counts.items()}
    shown |= {f"{side}_{metric}": row[f"{side}_{metric}"] for side in SIDES for metric in METRICS}
    return shown | ({"failed": row["failed"]} if row["failed"] else {})


def _entry(path: Path, table: Table) -> dict[str, Any]:
    settings = list(table[0]["settings"])
    return {
        "name": path.stem,
        "model": table[0]["model"],
        "settings": settings,
        "folds": table[0]["protocol"] == "kfold",
        "rows": table,
        "is_curve": SHARE in settings,
        "lines": _lines(table) if SHARE in settings else [],
        "chart": chart(table),
    }


def _forest(table: Table) -> str:
    return forest_plot(
        [_range(row) for row in table],
        Axis("test accuracy, the best on val first"),
        summary="Test accuracy with intervals over source groups: "
        + ", ".join(f"{_named(row)} {row['test_accuracy']:.3f}" for row in table),
    )


def _range(row: Mapping[str, Any]) -> Range:
    name = _named(row)
    shown = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    value, low, high = (row[f"test_accuracy{bound}"] for bound in ("", "_low", "_high"))
    return Range(shown, value, low, high, note=f"{name}: {_note(row)}")


def _curve(table: Table) -> str:
    """Accuracy against clips learned from: test with its interval, val broken, a colour for each line."""
    series: list[Series] = []
    lines = _lines(table)
    for colour, name in enumerate(lines):
        rows = sorted((row for row in table if _line(row) == name), key=lambda row: row["train_clips"])
        points = {side: [(row["train_clips"], row[f"{side}_accuracy"]) for row in rows] for side in SIDES}
        bounds = [_bounds(row) for row in rows]
        notes = [_note(row) for row in rows]
        test = Series(f"{name} test", points["test"], colour, bounds, dots=True, notes=notes)
        series += [test, Series(f"{name} val", points["val"], colour, dashed=True)]
    most = max((row["train_clips"] for row in table), default=1)
    summary = ", ".join(f"{row['train_clips']:g} clips {row['test_accuracy']:.3f}" for row in table)
    return line_chart(
        series,
        Axis("clips learned from", 0, most),
        Axis("accuracy"),
        summary=f"Test accuracy by clips: {summary}",
    )


def _bounds(row: Mapping[str, Any]) -> tuple[float, float]:
    """Where there is no interval, the value itself."""
    value, low, high = (row[f"test_accuracy{bound}"] for bound in ("", "_low", "_high"))
    return (value, value) if low is None else (low, high)


def _lines(table: Table) -> list[str]:
    """What is varied beside the share: one line of the chart each."""
    return sorted({_line(row) for row in table})


def _line(row: Mapping[str, Any]) -> str:
    return ", ".join(value for name, value in row["settings"].items() if name != SHARE)


def _named(row: Mapping[str, Any]) -> str:
    return ", ".join(row["settings"].values())


def _note(row: Mapping[str, Any]) -> str:
    return (
        f"test {row['test_accuracy']:.3f} on {row['test_n']:g} clips of {row['test_groups']:g} sources, "
        f"val {row['val_accuracy']:.3f} on {row['val_n']:g}, learned from {row['train_clips']:g} clips"
    )
