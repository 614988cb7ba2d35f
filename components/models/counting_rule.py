"""The counting rule: when classes of single frames make an alarm of a clip, and how long it lasts.

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


@dataclass(frozen=True)
class Alarm:
    """Suspicious frames that follow one another, as part of what makes an alarm of a clip.

    Attributes:
        start_s, end_s: half-open, from the first of them to the first after them; the last frame of a clip
            lasts as long as the one before it.
        label: the class of the likeliest of them.
        percent: how likely that is.
        frames: how many they are.
    """

    start_s: float
    end_s: float
    label: str
    percent: float
    frames: int


def alarms_of(
    labels: Sequence[str], percents: np.ndarray, times_s: np.ndarray, settings: RuleSettings
) -> list[Alarm]:
    """The alarms of a clip, in the order of time: each run that is long enough, or in mode total all runs.

    Args:
        labels: (T,) the likeliest class of each frame, in the order of time.
        percents: (T,) its probability in percent.
        times_s: (T,) when each is shown; of a single frame nobody knows how long.

    Example:
        >>> labels, percents = ["Fighting"] * 19, np.array([81.0] * 9 + [79.0] + [81.0] * 9)
        >>> alarms_of(labels, percents, np.arange(19), RuleSettings(80.0, 10, "consecutive", "ge", 500, ()))
        []
        >>> len(alarms_of(labels, percents, np.arange(19), RuleSettings(80.0, 10, "total", "ge", 500, ())))
        2
    """
    abnormal = np.array([label not in settings.normal_labels for label in labels], bool)
    suspicious = (abnormal & _beyond(percents, settings.threshold, settings))[: settings.max_frames]
    runs = _runs(suspicious)
    if settings.mode == "consecutive":
        runs = [run for run in runs if _beyond(len(run), settings.min_count, settings)]
    elif not _beyond(int(suspicious.sum()), settings.min_count, settings):
        runs = []
    return [_alarm(run, labels, percents, times_s) for run in runs]


def in_words(alarms: Sequence[Alarm]) -> str:
    """Alarms for people.

    Example:
        >>> in_words([Alarm(12.0, 21.5, "Fighting", 97.0, 10)])
        '12.0 to 21.5 s Fighting'
    """
    return "; ".join(f"{one.start_s:.1f} to {one.end_s:.1f} s {one.label}" for one in alarms) or "none"


def top_1(probabilities: np.ndarray, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The likeliest class of each frame and its percent (T,), of probabilities (T, K)."""
    best = probabilities.argmax(axis=-1)
    return [classes[k] for k in best], 100.0 * probabilities[np.arange(len(best)), best]


def _runs(flags: np.ndarray) -> list[range]:
    """Where true flags (T,) follow one another."""
    edges = np.flatnonzero(np.diff(np.pad(flags, 1).astype(np.int8)))
    return [range(start, end) for start, end in edges.reshape(-1, 2).tolist()]


def _alarm(run: range, labels: Sequence[str], percents: np.ndarray, times_s: np.ndarray) -> Alarm:
    best = max(run, key=lambda k: percents[k])  # of equals, the earliest
    last_s = 2 * times_s[-1] - times_s[-2] if len(times_s) > 1 else times_s[-1]
    end_s = times_s[run.stop] if run.stop < len(times_s) else last_s
    return Alarm(float(times_s[run.start]), float(end_s), labels[best], float(percents[best]), len(run))


def _beyond(value: np.ndarray | int, bound: float, settings: RuleSettings) -> np.ndarray | bool:
    return value >= bound if settings.comparison == "ge" else value > bound
