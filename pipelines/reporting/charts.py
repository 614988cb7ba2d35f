"""The report's charts, from what train, evaluate and compare wrote."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.core.tables import read_csv
from components.evaluation.curves import steps
from components.serving.charts import Axis, Range, Series, bar_chart, forest_plot, line_chart
from pipelines.artifacts import Project
from pipelines.pictures import read_history

FIRST_QUOTED_COLOUR = 7
AVERAGES = (("macro_precision", "precision"), ("macro_recall", "recall"), ("macro_f1", "F1"))


def all_charts(project: Project, comparison: Mapping[str, Any]) -> dict[str, Any]:
    """SVG text by name; curves that a model does not have are left out."""
    models = [model["model"] for model in comparison["models"]]
    floor = project.params.gate.min_accuracy
    return {
        "accuracy": accuracy_plot(comparison["models"], comparison["papers"], floor),
        "averages": averages_chart(comparison["models"]),
        "histories": {name: charts for name in models if (charts := history_charts(project, name))},
        "roc": curve_charts(
            project, models, "roc", ("fpr", "tpr"), ("false positive rate", "true positive rate")
        ),
        "pr": curve_charts(project, models, "pr", ("recall", "precision"), ("recall", "precision")),
        "calibration": {name: chart for name in models if (chart := calibration_chart(project, name))},
        "confusion": {
            model["model"]: confusion(model, project.params.dataset.classes) for model in comparison["models"]
        },
    }


def accuracy_plot(
    models: Sequence[Mapping[str, Any]], papers: Sequence[Mapping[str, Any]], floor: float
) -> str:
    """Test accuracy of every model with its interval, then the papers' numbers as they are quoted."""
    ours = sorted(
        (_accuracy(model, k) for k, model in enumerate(models)), key=lambda row: -(row.value or 0.0)
    )
    quoted = [_quoted(row) for row in papers if row["metric"] == "accuracy"]
    return forest_plot(
        [*ours, *quoted],
        Axis("test accuracy"),
        marks=[(floor, "floor")],
        summary="Test accuracy with intervals over source groups; the papers' numbers are quoted",
    )


def averages_chart(models: Sequence[Mapping[str, Any]]) -> str:
    """Macro precision, recall and F1 side by side: paper 000's Figure 7 for our models."""
    groups = []
    for model in models:
        metrics = model["splits"]["test"]["clips"]["metrics"]
        bars = [Range(name, *_bounds(metrics[key]), colour=k) for k, (key, name) in enumerate(AVERAGES)]
        groups.append((str(model["model"]), bars))
    return bar_chart(groups, Axis("macro average on test"), summary="Macro precision, recall and F1 by model")


def history_charts(project: Project, model: str) -> dict[str, str]:
    """Loss and accuracy by epoch, train and validation: Figure 8; empty for a model without epochs."""
    path = project.out("train", model, "history.csv")
    columns = read_history(path) if path.is_file() else {}
    if len(columns.get("epoch", [])) < 2:
        return {}
    charts = {name: _history_chart(columns, name) for name in ("loss", "accuracy")}
    return {name: chart for name, chart in charts.items() if chart}


def curve_charts(
    project: Project, models: Sequence[str], kind: str, columns: tuple[str, str], labels: tuple[str, str]
) -> list[str]:
    """All models in one chart per class that has a curve."""
    lines: dict[str, list[Series]] = {}
    for k, model in enumerate(models):
        for name, points in _curves(project, model, kind, columns).items():
            drawn = steps(points) if kind == "pr" else points
            lines.setdefault(name, []).append(Series(model, drawn, colour=k))
    return [
        line_chart(
            series,
            Axis(labels[0]),
            Axis(labels[1]),
            diagonal=kind == "roc",
            summary=f"{kind.upper()} of {name}",
        )
        for name, series in lines.items()
    ]


def calibration_chart(project: Project, model: str) -> str:
    """How often what was promised with some probability came true; empty without test clips."""
    rows = read_csv(
        project.out("evaluate", model, "calibration.csv"), ("probability", "frequency", "low", "high", "n")
    )
    points = [(float(row["probability"]), float(row["frequency"])) for row in rows]
    if not points:
        return ""
    bounds = [(float(row["low"]), float(row["high"])) for row in rows]
    notes = [
        f"{row['n']} clips: promised {float(row['probability']):.2f}, true {float(row['frequency']):.2f}"
        for row in rows
    ]
    series = Series(model, points, colour=0, bounds=bounds, dots=True, notes=notes)
    return line_chart([series], Axis("promised probability"), Axis("share that came true"), diagonal=True)


def confusion(model: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Counts with the share of each row, for the shading: Figure 9; `names` are the classes."""
    test = model["splits"]["test"]["clips"]
    return {
        "names": list(names),
        "rows": [
            {
                "name": name,
                "cells": [{"n": n, "share": n / max(1, sum(counts))} for n in counts],
                "n": sum(counts),
            }
            for name, counts in zip(names, test["confusion"], strict=True)
        ],
    }


def _accuracy(model: Mapping[str, Any], colour: int) -> Range:
    test = model["splits"]["test"]["clips"]
    value, low, high = _bounds(test["metrics"]["accuracy"])
    note = f"{test['n']} clips of {test['n_groups']} source groups"
    if low is not None and high is not None:
        note += f", {low:.3f} to {high:.3f}"
    name = f"{model['model']} (baseline)" if model["is_baseline"] else str(model["model"])
    return Range(name, value, low, high, colour, note)


def _quoted(row: Mapping[str, Any]) -> Range:
    bounds = row["interval"] or {"low": None, "high": None}
    note = f"quoted; {row['remark']}" if row["remark"] else "quoted"
    return Range(
        _shortened(row["name"]),
        row["value"],
        bounds["low"],
        bounds["high"],
        FIRST_QUOTED_COLOUR,
        note,
        is_quoted=True,
    )


def _shortened(name: str, longest: int = 26) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


def _bounds(found: Mapping[str, Any]) -> tuple[float | None, float | None, float | None]:
    return found["value"], found["low"], found["high"]


def _history_chart(columns: Mapping[str, list[float]], name: str) -> str:
    wanted = {"train": columns.get(name), "validation": columns.get(f"val_{name}")}
    lines = {side: values for side, values in wanted.items() if values}
    if not lines:
        return ""
    epochs = columns["epoch"]
    top = 1.0 if name == "accuracy" else max(max(values) for values in lines.values()) * 1.05 or 1.0
    series = [
        Series(side, list(zip(epochs, values, strict=True)), colour=k, dashed=side == "train")
        for k, (side, values) in enumerate(lines.items())
    ]
    summary = f"{name} by epoch, {' and '.join(lines)}"
    return line_chart(series, Axis("epoch", min(epochs), max(epochs)), Axis(name, 0.0, top), summary=summary)


def _curves(
    project: Project, model: str, kind: str, columns: tuple[str, str]
) -> dict[str, list[tuple[float, float]]]:
    """Points by class."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in read_csv(project.out("evaluate", model, f"{kind}.csv"), ("class", *columns)):
        curves.setdefault(row["class"], []).append((float(row[columns[0]]), float(row[columns[1]])))
    return curves
