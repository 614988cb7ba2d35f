"""Metrics of N clips (or frames) of K classes, each defined once for the point value and for its resamples.

Every formula takes weights of shape (B, N): B resamples of the N items, each saying how often it counts every
item. The point value is the resample that counts each item once. Inside, NaN marks what is undefined; at the
boundary (`point_values`) it becomes None, so that nobody mistakes it for a zero.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from components.core.errors import BadDataError
from components.evaluation.ranking import average_precision, roc_auc

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Better = Literal["higher", "lower"]
RankingMetric = Callable[[NDArray[np.bool_], Floats, Floats], Floats]

CALIBRATION_BINS = 10

# By the first word of a metric's name: `recall_stalking` is judged as `recall`.
_BETTER: dict[str, Better] = {
    "accuracy": "higher",
    "precision": "higher",
    "recall": "higher",
    "f1": "higher",
    "macro": "higher",
    "weighted": "higher",
    "roc": "higher",
    "pr": "higher",
    "coverage": "higher",
    "brier": "lower",
    "ece": "lower",
}


def better(metric: str) -> Better:
    """Which direction of a metric is the better one.

    Raises:
        KeyError: the metric is not one of ours.
    """
    return _BETTER[metric.partition("_")[0]]


@dataclass(frozen=True)
class Scored:
    """N items with their labels beside what a model says of them.

    Attributes:
        labels: (N,) class index.
        predicted: (N,) class index.
        probabilities: (N, K), calibrated, rows sum to 1.
        groups: (N,) source group.
        classes: K names; of two, the second is the positive one.
        scores: (N,) of a scorer of anomalies, whose probabilities are NaN; else None.
    """

    labels: Integers
    predicted: Integers
    probabilities: Floats
    groups: NDArray[np.str_]
    classes: tuple[str, ...]
    scores: Floats | None = None

    def __post_init__(self) -> None:
        n, k = len(self.labels), len(self.classes)
        shapes = (self.predicted.shape, self.probabilities.shape, self.groups.shape)
        if shapes != ((n,), (n, k), (n,)):
            raise BadDataError(
                f"Predictions of shapes {shapes} for {n} labels",
                wanted=f"(N,), (N, {k}) and (N,) with N = {n}",
                remedy="run evaluate again on tensors and labels of one state",
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_groups(self) -> int:
        """Number of source groups among the items."""
        return len(np.unique(self.groups))

    def where(self, chosen: NDArray[np.bool_]) -> "Scored":
        """The items at which `chosen` (N,) holds."""
        return Scored(
            self.labels[chosen],
            self.predicted[chosen],
            self.probabilities[chosen],
            self.groups[chosen],
            self.classes,
            None if self.scores is None else self.scores[chosen],
        )

    def ranked(self) -> dict[str, tuple[NDArray[np.bool_], Floats]]:
        """What items are ranked by, as (is it this class, score), each (N,), by class.

        Of two classes the second alone; of more every class.
        """
        k = len(self.classes)
        wanted = (1,) if k == 2 else range(k)
        by = {c: self.probabilities[:, c] if self.scores is None else self.scores for c in wanted}
        return {self.classes[c]: (self.labels == c, by[c]) for c in wanted}


def confusion_counts(labels: Integers, predicted: Integers, n_classes: int) -> Integers:
    """Counts (K, K); row = label, column = prediction."""
    cells = np.bincount(labels * n_classes + predicted, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes)


def measures(scored: Scored, weights: Floats | None = None) -> dict[str, Floats]:
    """All metrics of each resample, NaN where undefined.

    Args:
        weights: (B, N); by default one resample that counts each item once.

    Returns:
        Metric's name to values (B,), in [0, 1].
    """
    w = np.ones((1, len(scored))) if weights is None else weights
    counts = _weighted_confusion(scored, w)
    return count_measures(counts, scored.classes) | _probability_measures(scored, w)


def point_values(values: Mapping[str, Floats]) -> dict[str, float | None]:
    """The first resample's values as plain numbers, undefined ones as None."""
    return {name: number_or_none(value[0]) for name, value in values.items()}


def number_or_none(value: float) -> float | None:
    """NaN as None, anything else as a plain float."""
    return None if math.isnan(value) else float(value)


def count_measures(counts: NDArray[np.generic], classes: tuple[str, ...]) -> dict[str, Floats]:
    """Metrics that follow from confusion counts (B, K, K) alone.

    Precision needs a prediction of the class, recall a label of it, F1 = 2 TP / (2 TP + FP + FN) one of the
    two. A macro average needs all classes; a weighted one needs those that have a label.
    """
    cells = np.asarray(counts, dtype=np.float64)
    hits = np.diagonal(cells, axis1=1, axis2=2)
    support, named = cells.sum(axis=2), cells.sum(axis=1)
    per_class = {
        "precision": _ratio(hits, named),
        "recall": _ratio(hits, support),
        "f1": _ratio(2 * hits, support + named),
    }
    found = {"accuracy": _ratio(hits.sum(axis=1), support.sum(axis=1))}
    for metric, values in per_class.items():
        found[f"macro_{metric}"] = values.mean(axis=1)
        found[f"weighted_{metric}"] = _weighted_mean(values, support)
        found |= {f"{metric}_{name}": values[:, k] for k, name in enumerate(classes)}
    return found


def paper_convention(counts: Integers, classes: tuple[str, ...]) -> dict[str, float | str | None] | None:
    """Accuracy, precision, recall, F1 with the first class as the positive one: paper 000, equations 9 to 12.

    Returns:
        None unless there are two classes.
    """
    if len(classes) != 2:
        return None
    values = point_values(count_measures(counts[None], classes))
    names = ("precision", "recall", "f1")
    block: dict[str, float | str | None] = {name: values[f"{name}_{classes[0]}"] for name in names}
    return block | {"accuracy": values["accuracy"], "positive": classes[0]}


def _weighted_confusion(scored: Scored, weights: Floats) -> Floats:
    """Confusion (B, K, K) of weights (B, N); what it takes grows with N and with K^2, not with both."""
    k = len(scored.classes)
    cells = scored.labels * k + scored.predicted
    order = np.argsort(cells, kind="stable")
    found, starts = np.unique(cells[order], return_index=True)
    counts = np.zeros((len(weights), k * k))
    if len(found):
        counts[:, found] = np.add.reduceat(weights[:, order], starts, axis=1)
    return counts.reshape(-1, k, k)


def _probability_measures(scored: Scored, weights: Floats) -> dict[str, Floats]:
    return {
        "roc_auc": _over_classes(roc_auc, scored, weights),
        "pr_auc": _over_classes(average_precision, scored, weights),
        "brier": _brier(scored, weights),
        "ece": _calibration_error(scored, weights),
    }


def _over_classes(metric: RankingMetric, scored: Scored, weights: Floats) -> Floats:
    """Of the positive class when there are two, else the mean of each class against the rest."""
    values = [metric(*pair, weights) for pair in scored.ranked().values()]
    mean: Floats = np.mean(values, axis=0)
    return mean


def _brier(scored: Scored, weights: Floats) -> Floats:
    """Mean squared error of the positive class's probability; with K > 2 classes summed over the classes."""
    error = scored.probabilities - np.eye(len(scored.classes))[scored.labels]
    squared = (error**2).sum(axis=1) / (2 if len(scored.classes) == 2 else 1)
    return _ratio(weights @ squared, weights.sum(axis=1))


def calibration_pairs(scored: Scored) -> tuple[Floats, NDArray[np.bool_]]:
    """What was promised and whether it came true, each (N,): what calibration is judged by.

    With two classes the positive class's probability and the label; with more, the largest probability and
    whether its class is the label.
    """
    if len(scored.classes) == 2:
        return scored.probabilities[:, 1], scored.labels == 1
    best = scored.probabilities.argmax(axis=1)
    return scored.probabilities.max(axis=1), best == scored.labels


def calibration_bin(promised: Floats) -> Integers:
    """Index (N,) of the equal-width bin of [0, 1] that each probability falls into."""
    return np.minimum((promised * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)


def _calibration_error(scored: Scored, weights: Floats) -> Floats:
    """Expected calibration error: mean gap between promise and truth over bins, weighted by their items.

    Source: Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI
    2015.
    """
    if scored.scores is not None:
        return np.full(len(weights), np.nan)
    promised, came_true = calibration_pairs(scored)
    bins = np.eye(CALIBRATION_BINS)[calibration_bin(promised)]
    gap = weights @ (bins * (promised - came_true)[:, None])
    return _ratio(np.abs(gap).sum(axis=1), weights.sum(axis=1))


def _ratio(upper: Floats, lower: Floats) -> Floats:
    return np.divide(upper, lower, out=np.full(np.shape(lower), np.nan), where=lower > 0)


def _weighted_mean(values: Floats, support: Floats) -> Floats:
    counted = np.where(support > 0, values, 0.0)
    return _ratio((counted * support).sum(axis=1), support.sum(axis=1))
