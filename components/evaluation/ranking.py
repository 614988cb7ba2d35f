"""Areas under curves, for B weighted resamples of N items at once; ties share their rank."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def roc_auc(positive: Bools, scores: Floats, weights: Floats) -> Floats:
    """Chance that a positive item scores above a negative one, ties counted as half.

    Args:
        positive: (N,).
        scores: (N,), higher means more positive.
        weights: (B, N).

    Returns:
        (B,) in [0, 1], NaN where a resample lacks one of the two kinds.

    Source: Hanley, McNeil, "The meaning and use of the area under a ROC curve", Radiology 143, 1982.
    """
    at_rank, below = _weight_by_rank(positive, scores, weights)
    negatives_under = np.cumsum(below, axis=1) - below / 2
    pairs = at_rank.sum(axis=1) * below.sum(axis=1)
    won = (at_rank * negatives_under).sum(axis=1)
    return np.divide(won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def average_precision(positive: Bools, scores: Floats, weights: Floats) -> Floats:
    """Area under the precision-recall curve as a step function: the mean precision over the positive items.

    Arguments and result as of `roc_auc`; NaN only where a resample has no positive item.
    """
    positives, negatives = (part[:, ::-1] for part in _weight_by_rank(positive, scores, weights))
    hits = np.cumsum(positives, axis=1)
    taken = hits + np.cumsum(negatives, axis=1)
    precision = np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0)
    total = positives.sum(axis=1)
    return np.divide(
        (positives * precision).sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0
    )


def _weight_by_rank(positive: Bools, scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weight (B, R) of positive and of negative items at each of the R distinct scores, ascending."""
    if len(scores) == 0:
        nothing = np.zeros((len(weights), 0))
        return nothing, nothing
    order = np.argsort(scores, kind="stable")
    ascending = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]]))
    sorted_weights = weights[:, order]
    is_positive = positive[order]
    return (
        np.add.reduceat(sorted_weights * is_positive, starts, axis=1),
        np.add.reduceat(sorted_weights * ~is_positive, starts, axis=1),
    )
