"""The counting rule: when classes of single frames make an alarm of a clip.

Source: paper 003, III-A (`generateFrames()`, whose 500 is max_frames, and `detectActivity()`), IV and
Tables I to III. Where they disagree there is a setting: the algorithm counts anew after a frame below 80, the
tables count all frames; it asks for more than 80 and more than 10, the formulas of IV for at least as much.
Ours: of a frame only the likeliest class counts, as every unlikely one would end the run, and normal classes
never do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class RuleSettings:
    """The rule's terms, as a model's settings have them.

    Attributes:
        threshold: percent, of the likeliest class; a frame of a class that is not normal is suspicious from
            here on.
        min_count: suspicious frames that make an alarm.
        mode: whether they must follow one another, as in the algorithm, or not, as in the tables.
        comparison: whether threshold and min_count must be reached or exceeded.
        max_frames: so many frames are looked at.
        normal_labels: classes that are never suspicious.
    """

    threshold: float
    min_count: int
    mode: Literal["consecutive", "total"]
    comparison: Literal["ge", "gt"]
    max_frames: int
    normal_labels: tuple[str, ...]


def top_1(probabilities: np.ndarray, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The likeliest class of each frame and its percent (T,), of probabilities (T, K)."""
    best = probabilities.argmax(axis=-1)
    return [classes[k] for k in best], 100.0 * probabilities[np.arange(len(best)), best]


def sounds(labels: Sequence[str], percents: np.ndarray, settings: RuleSettings) -> bool:
    """Whether a clip's frames, in the order of time, make an alarm.

    Args:
        labels: (T,) the likeliest class of each.
        percents: (T,) its probability in percent.

    Example:
        >>> labels, percents = ["Fighting"] * 19, np.array([81.0] * 9 + [79.0] + [81.0] * 9)
        >>> sounds(labels, percents, RuleSettings(80.0, 10, "consecutive", "ge", 500, ("Normal",)))
        False
        >>> sounds(labels, percents, RuleSettings(80.0, 10, "total", "ge", 500, ("Normal",)))
        True
    """
    abnormal = np.array([label not in settings.normal_labels for label in labels], bool)
    suspicious = (abnormal & _beyond(percents, settings.threshold, settings))[: settings.max_frames]
    counted = _longest_run(suspicious) if settings.mode == "consecutive" else int(suspicious.sum())
    return bool(_beyond(counted, settings.min_count, settings))


def _longest_run(flags: np.ndarray) -> int:
    """How many true flags (T,) follow one another at most."""
    between = np.flatnonzero(~np.pad(flags, 1))
    return int(np.diff(between).max()) - 1


def _beyond(value: np.ndarray | int, bound: float, settings: RuleSettings) -> np.ndarray | bool:
    return value >= bound if settings.comparison == "ge" else value > bound
