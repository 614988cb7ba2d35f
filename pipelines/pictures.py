"""Pictures of what evaluate and train wrote, for MLflow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from components.core.tables import read_csv
from components.evaluation.curves import Curve, pr_curve, reliability, roc_curve
from components.evaluation.evidence import Evaluated
from components.evaluation.metrics import calibration_pairs, confusion_counts


def evaluation_pictures(evaluated: Evaluated) -> dict[str, bytes]:
    """Confusion matrix, ROC, precision-recall and calibration of the test clips, by file name."""
    from components.evaluation.plots import confusion_png, pr_png, reliability_png, roc_png

    test = evaluated.predictions.of_split("test")
    if not len(test.labels):
        return {}
    title = f"{evaluated.model}, {len(test.labels)} test clips"
    kinds = test.scored().ranked()
    roc = {name: roc_curve(*kind) for name, kind in kinds.items()}
    pr = {name: pr_curve(*kind) for name, kind in kinds.items()}
    share = float(np.mean([positive.mean() for positive, _ in kinds.values()]))
    pictures = {
        "plots/confusion.png": confusion_png(
            confusion_counts(test.labels, test.predicted, len(test.classes)), test.classes, title
        ),
        "plots/roc.png": roc_png(_with_area(roc, evaluated.metric("test", "roc_auc")), title),
        "plots/pr.png": pr_png(_with_area(pr, evaluated.metric("test", "pr_auc")), share, title),
    }
    if test.scores is None:
        bins = reliability(*calibration_pairs(test.scored()))
        pictures["plots/calibration.png"] = reliability_png(bins, evaluated.metric("test", "ece"), title)
    return pictures


def training_pictures(model_id: str, history: Path) -> dict[str, bytes]:
    """Loss and accuracy by epoch; nothing for a model that has no epochs."""
    from components.evaluation.plots import history_png

    columns = read_history(history)
    if len(columns.get("epoch", [])) < 2:
        return {}
    losses = columns.get("val_loss") or columns.get("loss") or []
    best = int(columns["epoch"][int(np.argmin(losses))]) if losses else None
    return {"plots/history.png": history_png(columns, best, model_id)}


def comparison_pictures(comparison: Mapping[str, Any]) -> dict[str, bytes]:
    """All models and the papers' numbers side by side."""
    from components.evaluation.plots import Bar, models_png

    bars = []
    for model in comparison["models"]:
        found = model["splits"]["test"]["clips"]["metrics"]["accuracy"]
        if found["value"] is not None:
            kind = "baseline" if model["is_baseline"] else "ours"
            bars.append(Bar(model["model"], found["value"], found["low"], found["high"], kind))
    for row in comparison["papers"]:
        if row["metric"] == "accuracy":
            bounds = row["interval"] or {"low": None, "high": None}
            bars.append(Bar(row["name"], row["value"], bounds["low"], bounds["high"], "paper"))
    return (
        {"plots/models.png": models_png(bars, "accuracy", "Test clips; papers' numbers are quoted")}
        if bars
        else {}
    )


def read_history(path: Path) -> dict[str, list[float]]:
    """history.csv by column; columns that are not numbers, or not always there, are left out."""
    rows = read_csv(path, ("epoch",))
    names = rows[0] if rows else {}
    return {
        name: [float(row[name]) for row in rows]
        for name in names
        if all(_is_number(row[name]) for row in rows)
    }


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _with_area(curves: dict[str, Curve | None], area: float | None) -> dict[str, tuple[Curve, float | None]]:
    """Defined curves with their area; of several classes it is their mean, which belongs to none of them."""
    return {
        name: (curve, area if len(curves) == 1 else None)
        for name, curve in curves.items()
        if curve is not None
    }
