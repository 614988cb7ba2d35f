"""Rules that turn what a model says of a clip's frames into an alarm: recall against false alarms per hour.

The terms are those of the counting rule, `components.models.counting_rule`; of two classes and above one half
they give the same alarms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from components.evaluation.curves import roc_curve
from components.evaluation.intervals import Interval, group_intervals, rate_interval
from components.evaluation.metrics import Scored
from components.evaluation.settings import BootstrapSettings
from components.models.bundle import BundleInfo
from components.models.counting_rule import RuleSettings
from components.models.inception_rule import InceptionRuleSettings, rule_of
from components.models.registry import model_settings

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Mode = Literal["consecutive", "total"]


@dataclass(frozen=True)
class AlarmRule:
    """An alarm where `count` frames of a clip, in a row or in all, reach the threshold.

    Attributes:
        threshold: of what the model says of a frame: a probability of all classes but the first, or a score.
    """

    threshold: float
    count: int
    mode: Mode

    def sounds(self, scores: Floats) -> Bools:
        """Whether there is an alarm (N,) in clips of scores (N, T)."""
        return strengths(scores, self.count, self.mode) >= self.threshold


@dataclass(frozen=True)
class Point:
    """What a rule gives on one side: recall of positive clips, and alarms in negative ones, one a clip."""

    rule: AlarmRule
    recall: float
    alarms: int
    alarms_per_hour: float


@dataclass(frozen=True)
class Side:
    """The clips of a side of the split.

    Attributes:
        scores: (N, T) by frame; T is 1 where the model says one thing of the whole clip.
        positive: (N,) whether the clip is of another class than the first.
        hours: (N,) how long each lasts.
        groups: (N,) source group.
    """

    scores: Floats
    positive: Bools
    hours: Floats
    groups: NDArray[np.str_]

    @property
    def negative_hours(self) -> float:
        """How much video there is in which every alarm is a false one."""
        return float(self.hours[~self.positive].sum())


def strengths(scores: Floats, count: int, mode: Mode) -> Floats:
    """The highest threshold (N,) at which a rule of this count and mode still gives an alarm.

    Args:
        scores: (N, T).
        count: from 1 to T.

    Example:
        >>> scores = np.array([[0.9, 0.1, 0.8, 0.7]])
        >>> float(strengths(scores, 2, "consecutive")[0]), float(strengths(scores, 2, "total")[0])
        (0.7, 0.8)
    """
    if mode == "total":
        ordered: Floats = np.sort(scores, axis=1)[:, -count]
        return ordered
    windows = np.lib.stride_tricks.sliding_window_view(scores, count, axis=1)
    best: Floats = windows.min(axis=2).max(axis=1)
    return best


def frontier(side: Side) -> list[Point]:
    """The rules that no other outdoes, fewest false alarms first; recall rises from each to the next.

    Only thresholds at which a clip of the side begins to alarm are looked at: between two of them nothing
    changes. Of rules that give the same the highest threshold stands, then the lowest count, then `total`.

    Returns:
        Nothing unless there are clips of both kinds, the negative ones of some length.
    """
    points = [point for count, mode in _terms(side.scores.shape[1]) for point in _points(side, count, mode)]
    points.sort(key=lambda point: (point.alarms, -point.recall, *_plainness(point.rule)))
    found: list[Point] = []
    for point in points:
        if point.recall > (found[-1].recall if found else 0.0):
            found.append(point)
    return found


def choose(points: Sequence[Point], alarms_per_hour: float) -> Point | None:
    """The point of a frontier with the highest recall at no more false alarms per hour; None without one."""
    allowed = [point for point in points if point.alarms_per_hour <= alarms_per_hour]
    return allowed[-1] if allowed else None


def own_rule(info: BundleInfo) -> RuleSettings | None:
    """The counting rule that a model brings along; None of one without."""
    own = model_settings(info.model_id, info.settings)
    return rule_of(own, info.classes) if isinstance(own, InceptionRuleSettings) else None


def figures(sounded: Bools, side: Side, settings: BootstrapSettings | None = None) -> dict[str, Any]:
    """What alarms (N,) of a side's clips come to, as plain JSON values.

    Args:
        settings: of the intervals over source groups; None for a side that had a say in the rule.

    Returns:
        recall and alarms_per_hour, each with value, low and high; alarms: in negative clips.
    """
    false = sounded & ~side.positive
    hours, alarms = side.negative_hours, int(false.sum())
    recall, rate = _intervals(sounded, side, settings) if settings else (None, None)
    return {
        "recall": _bounded(float(sounded[side.positive].mean()) if side.positive.any() else None, recall),
        "alarms_per_hour": _bounded(alarms / hours if hours else None, rate),
        "alarms": alarms,
    }


def _terms(n_frames: int) -> list[tuple[int, Mode]]:
    """Every count with its modes, which are the same for one frame."""
    modes: tuple[Mode, ...] = ("total", "consecutive")
    return [(count, mode) for count in range(1, n_frames + 1) for mode in modes[: 1 if count == 1 else 2]]


def _points(side: Side, count: int, mode: Mode) -> list[Point]:
    curve = roc_curve(side.positive, strengths(side.scores, count, mode))
    if curve is None or not side.negative_hours:
        return []
    alarms = np.rint(curve.x * (~side.positive).sum()).astype(int)
    told = list(zip(curve.thresholds, curve.y, alarms, strict=True))[1:]  # the first alarms at nothing
    return [
        Point(AlarmRule(float(threshold), count, mode), float(recall), int(n), int(n) / side.negative_hours)
        for threshold, recall, n in told
    ]


def _plainness(rule: AlarmRule) -> tuple[float, int, bool]:
    return -rule.threshold, rule.count, rule.mode == "consecutive"


def _intervals(
    sounded: Bools, side: Side, settings: BootstrapSettings
) -> tuple[Interval | None, Interval | None]:
    """Of recall, and of false alarms per hour."""
    nothing = np.full((len(sounded), 2), np.nan)
    labels, predicted = side.positive.astype(np.int64), sounded.astype(np.int64)
    told = Scored(labels, predicted, nothing, side.groups, ("negative", "positive"), sounded.astype(float))
    negative = ~side.positive
    rate = rate_interval(sounded[negative], side.hours[negative], side.groups[negative], settings)
    return group_intervals(told, settings)["recall_positive"], rate


def _bounded(value: float | None, interval: Interval | None) -> dict[str, float | None]:
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    return {"value": value, "low": low, "high": high}
