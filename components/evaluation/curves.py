"""Curves of a binary decision: ROC, precision-recall, reliability."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from components.evaluation.intervals import wilson
from components.evaluation.metrics import CALIBRATION_BINS, calibration_bin

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Curve:
    """Points (P,) of a curve, one per threshold, thresholds falling; the first admits nobody (infinity)."""

    x: Floats
    y: Floats
    thresholds: Floats


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin of promised probability: what was promised on average, how often it came true (95 % Wilson)."""

    n: int
    promised: float
    observed: float
    low: float
    high: float


def roc_curve(positive: Bools, scores: Floats) -> Curve | None:
    """False positive rate (x) against true positive rate (y), from (0, 0) to (1, 1).

    Args:
        positive, scores: (N,).

    Returns:
        None unless there are items of both kinds.
    """
    hits, false_alarms, thresholds = _admitted(positive, scores)
    if hits[-1] == 0 or false_alarms[-1] == 0:
        return None
    return Curve(false_alarms / false_alarms[-1], hits / hits[-1], thresholds)


def pr_curve(positive: Bools, scores: Floats) -> Curve | None:
    """Recall (x) against precision (y); where nobody is admitted precision is written as 1.

    Returns:
        None when no item is positive.
    """
    hits, false_alarms, thresholds = _admitted(positive, scores)
    if hits[-1] == 0:
        return None
    admitted = hits + false_alarms
    precision = np.divide(hits, admitted, out=np.ones(len(hits)), where=admitted > 0)
    return Curve(hits / hits[-1], precision, thresholds)


def steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners of the steps through a precision-recall curve's points: `average_precision` is their area.

    Example:
        >>> steps([(0.0, 1.0), (1.0, 0.5)])
        [(0.0, 1.0), (0.0, 0.5), (1.0, 0.5)]
    """
    corners = [((x, next_y), (next_x, next_y)) for (x, _), (next_x, next_y) in pairwise(points)]
    return [*points[:1], *chain.from_iterable(corners)]


def reliability(promised: Floats, came_true: Bools) -> list[ReliabilityBin]:
    """The bins of [0, 1] that hold an item, in rising order.

    Args:
        promised: (N,) probability.
        came_true: (N,).
    """
    place = calibration_bin(promised)
    filled = [place == k for k in range(CALIBRATION_BINS) if (place == k).any()]
    return [_reliability_bin(promised[inside], came_true[inside]) for inside in filled]


def _reliability_bin(promised: Floats, came_true: Bools) -> ReliabilityBin:
    n, happened = len(promised), int(came_true.sum())
    bounds = wilson(happened, n)
    low, high = (0.0, 1.0) if bounds is None else (bounds.low, bounds.high)
    return ReliabilityBin(n, float(promised.mean()), happened / n, low, high)


def _admitted(positive: Bools, scores: Floats) -> tuple[Floats, Floats, Floats]:
    """Positive and negative items at or above each distinct score, scores falling, after (0, 0, infinity)."""
    order = np.argsort(-scores, kind="stable")
    falling, kinds = scores[order], positive[order]
    last_of_tie = np.flatnonzero(np.append(falling[1:] != falling[:-1], True)) if len(scores) else order
    hits = np.cumsum(kinds)[last_of_tie]
    taken = last_of_tie + 1
    return (
        np.concatenate([[0.0], hits]),
        np.concatenate([[0.0], taken - hits]),
        np.concatenate([[np.inf], falling[last_of_tie]]),
    )
