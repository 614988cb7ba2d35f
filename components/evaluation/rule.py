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

from components.core.errors import BadDataError, UsageError


@dataclass(frozen=True)
class RuleSettings:
    """The rule's terms.

    Attributes:
        threshold: percent, of the likeliest class; a frame of a class that is not normal is suspicious from
            here on.
        min_count: suspicious frames that make an alarm.
        mode: whether they must follow one another, as in the algorithm, or not, as in the tables.
        comparison: whether threshold and min_count must be reached or exceeded.
        max_frames: so many frames are looked at; null: all.
        normal_labels: classes that are never suspicious.
    """

    threshold: float = 80.0
    min_count: int = 10
    mode: Literal["consecutive", "total"] = "consecutive"
    comparison: Literal["ge", "gt"] = "ge"
    max_frames: int | None = 500
    normal_labels: tuple[str, ...] = ("Normal",)

    def __post_init__(self) -> None:
        usable = 0 <= self.threshold <= 100 and self.min_count >= 1
        if not usable or (self.max_frames is not None and self.max_frames < 1):
            raise UsageError(
                f"rule {self}",
                wanted="threshold in percent, min_count and max_frames of 1 or more",
                remedy="correct the rule in params.yaml",
            )


@dataclass(frozen=True)
class RuleEvent:
    """A run of suspicious frames that an alarm rests on.

    Attributes:
        start_s, end_s: half-open, from its first frame to the first frame after it.
        label: the class of its likeliest frame, the earliest of equals.
        max_percent: that frame's percent.
        frames: how many it has.
    """

    start_s: float
    end_s: float
    label: str
    max_percent: float
    frames: int


@dataclass(frozen=True)
class RuleVerdict:
    """What the rule says of a clip.

    Attributes:
        alarm: whether there is one.
        longest_run: most suspicious frames that follow one another.
        total: all suspicious frames.
        suspicious: (T,) bool, of the frames that were looked at.
        events: the runs that make the alarm, in the order of time: those long enough, or all in mode total.
    """

    alarm: bool
    longest_run: int
    total: int
    suspicious: np.ndarray
    events: tuple[RuleEvent, ...]


def top_1(probabilities: np.ndarray, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The likeliest class of each frame and its percent (T,), of probabilities (T, K)."""
    best = probabilities.argmax(axis=-1)
    return [classes[k] for k in best], 100.0 * probabilities[np.arange(len(best)), best]


def apply_rule(
    labels: Sequence[str],
    percents: np.ndarray,
    times_s: np.ndarray,
    end_s: float,
    settings: RuleSettings,
) -> RuleVerdict:
    """Judge a clip by the likeliest class of each of its frames, in the order of time.

    Args:
        labels: (T,) the likeliest class.
        percents: (T,) its probability in percent.
        times_s: (T,) when each frame is shown.
        end_s: when the last one ends.

    Raises:
        BadDataError: percents outside [0, 100], times that do not rise, or other numbers of them.

    Example:
        >>> percents = np.array([81.0] * 9 + [79.0] + [81.0] * 9)
        >>> times_s, labels = np.arange(19.0), ["Fighting"] * 19
        >>> apply_rule(labels, percents, times_s, 19.0, RuleSettings()).alarm
        False
        >>> apply_rule(labels, percents, times_s, 19.0, RuleSettings(mode="total")).alarm
        True
    """
    _check(labels, percents, times_s, end_s)
    shown = len(labels) if settings.max_frames is None else min(len(labels), settings.max_frames)
    abnormal = np.array([label not in settings.normal_labels for label in labels[:shown]], bool)
    suspicious = abnormal & _beyond(percents[:shown], settings.threshold, settings)
    runs = runs_of(suspicious)
    longest = max((end - start for start, end in runs), default=0)
    total = int(suspicious.sum())
    counted = longest if settings.mode == "consecutive" else total
    alarm = bool(_beyond(counted, settings.min_count, settings))
    making = [run for run in runs if _makes(run, settings)] if alarm else []
    until_s = np.append(times_s, end_s)
    events = tuple(_event(run, labels, percents, until_s) for run in making)
    return RuleVerdict(alarm, longest, total, suspicious, events)


def runs_of(flags: np.ndarray) -> list[tuple[int, int]]:
    """The maximal runs of true flags (T,), half-open, in order.

    Example:
        >>> runs_of(np.array([True, True, False, True]))
        [(0, 2), (3, 4)]
    """
    edges = np.diff(np.concatenate([[0], np.asarray(flags, np.int8), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _beyond(value: np.ndarray | int, bound: float, settings: RuleSettings) -> np.ndarray | bool:
    return value >= bound if settings.comparison == "ge" else value > bound


def _makes(run: tuple[int, int], settings: RuleSettings) -> bool:
    return settings.mode == "total" or bool(_beyond(run[1] - run[0], settings.min_count, settings))


def _event(
    run: tuple[int, int], labels: Sequence[str], percents: np.ndarray, until_s: np.ndarray
) -> RuleEvent:
    start, end = run
    best = start + int(np.argmax(percents[start:end]))
    return RuleEvent(
        float(until_s[start]), float(until_s[end]), labels[best], float(percents[best]), end - start
    )


def _check(labels: Sequence[str], percents: np.ndarray, times_s: np.ndarray, end_s: float) -> None:
    if not len(labels) == len(percents) == len(times_s):
        raise BadDataError(
            f"{len(labels)} labels, {len(percents)} percents and {len(times_s)} times",
            wanted="one of each for every frame",
            remedy="ask the classifier of frames again",
        )
    if not ((percents >= 0) & (percents <= 100)).all():
        raise BadDataError(
            "a frame's probability is outside 0 to 100 percent",
            wanted="percents, as `top_1` gives them",
            remedy="ask the classifier of frames again",
        )
    if not (np.diff(np.append(times_s, end_s)) > 0).all():
        raise BadDataError(
            "frames whose times do not rise up to the clip's end",
            wanted="natural order: frame 10 after frame 9",
            remedy="sort the frames by their time",
        )
