"""How sure a model is of its answers, and the clips at the two ends: sure and wrong, unsure and right."""

import numpy as np

from components.evaluation.predictions import ClipPredictions, Floats, Integers


def confidence(clips: ClipPredictions, threshold: float) -> Floats:
    """Probability (N,) of the class that a clip was called, or its score's distance from the threshold."""
    if clips.scores is not None:
        return np.abs(clips.scores - threshold)
    probabilities: Floats = clips.probabilities[np.arange(len(clips.predicted)), clips.predicted]
    return probabilities


def surest_wrong(clips: ClipPredictions, threshold: float, limit: int) -> Integers:
    """Places of wrong clips, the surest first, at most `limit`."""
    return _ordered(-confidence(clips, threshold), clips.predicted != clips.labels, limit)


def surest_right(clips: ClipPredictions, threshold: float, label: int | None = None) -> Integers:
    """Places of right clips, of one class if it is given, the surest first."""
    right = clips.predicted == clips.labels
    wanted = right if label is None else right & (clips.labels == label)
    return _ordered(-confidence(clips, threshold), wanted, len(right))


def least_sure_right(clips: ClipPredictions, threshold: float, limit: int) -> Integers:
    """Places of right clips, the least sure first, at most `limit`."""
    return _ordered(confidence(clips, threshold), clips.predicted == clips.labels, limit)


def _ordered(by: Floats, wanted: np.ndarray, limit: int) -> Integers:
    places = np.flatnonzero(wanted)
    chosen: Integers = places[np.argsort(by[places], kind="stable")][:limit]
    return chosen
