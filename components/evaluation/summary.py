"""One split's numbers, each with its interval, as plain JSON values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.intervals import Interval, group_intervals, wilson
from components.evaluation.metrics import Scored, confusion_counts, measures, paper_convention, point_values
from components.evaluation.settings import BootstrapSettings

ANY_ORDER = 0.5  # ROC AUC of scores that know nothing


def summarise(scored: Scored, settings: BootstrapSettings) -> dict[str, Any]:
    """Everything that is said of one set of clips or frames.

    Returns:
        n, n_groups, support, confusion (row = label), paper_convention; metrics by name, each with value,
        low, high, level and method; wilson: bounds of accuracy and recalls as if the items were independent.
    """
    counts = confusion_counts(scored.labels, scored.predicted, len(scored.classes))
    values = point_values(measures(scored))
    intervals = group_intervals(scored, settings)
    return {
        "n": len(scored),
        "n_groups": scored.n_groups,
        "support": {name: int(counts[k].sum()) for k, name in enumerate(scored.classes)},
        "confusion": counts.tolist(),
        "metrics": {name: {"value": value} | _bounds(intervals[name]) for name, value in values.items()},
        "wilson": _wilson(counts, scored.classes, settings.level),
        "paper_convention": paper_convention(counts, scored.classes),
    }


def flat_metrics(summary: Mapping[str, Any], classes: tuple[str, ...]) -> dict[str, float | int | None]:
    """The few numbers of a split that people compare: small enough for `dvc metrics diff`."""
    metrics = summary["metrics"]
    names = ("macro_f1", *(f"recall_{name}" for name in classes), "roc_auc", "pr_auc", "brier", "ece")
    return {
        "accuracy": metrics["accuracy"]["value"],
        "accuracy_low": metrics["accuracy"]["low"],
        "accuracy_high": metrics["accuracy"]["high"],
        **{name: metrics[name]["value"] for name in names},
        "n": summary["n"],
        "n_groups": summary["n_groups"],
    }


def sign_of_chance(summary: Mapping[str, Any]) -> str:
    """What is suspicious of a scorer of anomalies, by the summary of a split's clips; empty: nothing is."""
    found = summary["metrics"]["roc_auc"]
    value, low, high = found["value"], found["low"], found["high"]
    if value is None or (low is not None and low > ANY_ORDER):
        return ""
    bounds = "no interval" if low is None else f"{low:.3f} to {high:.3f}"
    return (
        f"its ROC AUC of {value:.3f} ({bounds}) on {summary['n']} test clips is not shown to be above "
        f"{ANY_ORDER}, which any order has"
    )


def _bounds(interval: Interval | None) -> dict[str, Any]:
    if interval is None:
        return {"low": None, "high": None, "level": None, "method": None}
    return {"low": interval.low, "high": interval.high, "level": interval.level, "method": interval.method}


def _wilson(counts: NDArray[np.int64], classes: tuple[str, ...], level: float) -> dict[str, Any]:
    hits, support = np.diagonal(counts), counts.sum(axis=1)
    rates = {"accuracy": wilson(int(hits.sum()), int(support.sum()), level)}
    rates |= {
        f"recall_{name}": wilson(int(hits[k]), int(support[k]), level) for k, name in enumerate(classes)
    }
    return {"assumes": "independent items"} | {name: _bounds(interval) for name, interval in rates.items()}
