"""Which frames of a clip are kept."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from components.core.errors import UsageError
from components.video.timeline import MAX_RATE, Timeline


@dataclass(frozen=True)
class Sampling:
    """A rule that picks frames by time.

    Attributes:
        kind: `uniform`: the centres of equal spans of the clip; `dense`: so many per second.
        frames: how many, for `uniform`; a clip with fewer frames repeats some. For `dense` the most, from the
            middle of the clip, so that a long clip costs no more than a short one.
        per_second: for `dense`. No frame is taken twice, so the video's own rate is the most.
        max_side: longest side of the kept frames in pixels; larger ones are scaled down, smaller ones stay.
    """

    kind: Literal["uniform", "dense"]
    frames: int | None = None
    per_second: float | None = None
    max_side: int | None = None

    def __post_init__(self) -> None:
        if self.kind == "uniform" and (self.frames is None or self.frames < 1 or self.per_second is not None):
            raise _unusable(self, "a uniform sampling has `frames` of 1 or more, and no `per_second`")
        if self.kind == "dense" and not (
            _possible(self.per_second) and (self.frames is None or self.frames > 0)
        ):
            raise _unusable(
                self, f"a dense sampling has `per_second` in (0, {MAX_RATE}], and 1 frame or more"
            )
        if self.max_side is not None and self.max_side < 1:
            raise _unusable(self, "a `max_side` of 1 or more")


def choose(
    sampling: Sampling, timeline: Timeline, start_us: int = 0, end_us: int | None = None
) -> np.ndarray:
    """The frames that a sampling keeps of the half-open span [start_us, end_us).

    At a constant rate, frame k of n out of N is floor((2k + 1) N / 2n), in whole numbers; else it is the
    frame whose display interval holds the centre of the k-th of n equal spans.

    Returns:
        (T,) int64 frame indices, not decreasing; empty when no frame starts inside the span.

    Example:
        >>> even = Timeline.of([0, 40_000, 80_000, 120_000, 160_000, 200_000], None)
        >>> choose(Sampling("uniform", frames=3), even).tolist()
        [1, 3, 5]

    Source: paper 000, III-B: 5 frames, about one a second, of clips of 3 to 8 s. One a second gives too
    few of a short clip, so they are here the centres of equal spans of what can be decoded.
    """
    first, last = timeline.part(start_us, end_us)
    if first == last:
        return np.empty(0, np.int64)
    if sampling.kind == "uniform" and timeline.is_constant:
        n, count = sampling.frames or 1, last - first
        return np.asarray([first + (2 * k + 1) * count // (2 * n) for k in range(n)], np.int64)
    begin = int(timeline.starts_us[first])
    end = _end_us(timeline, last, end_us)
    if sampling.kind == "uniform":
        return _shown_at(_centres_us(begin, end, sampling.frames or 1), timeline, first, last)
    return _dense(sampling, timeline, begin, end, first, last)


def _dense(sampling: Sampling, timeline: Timeline, begin: int, end: int, first: int, last: int) -> np.ndarray:
    per_second = Fraction(str(sampling.per_second))
    span = end - begin
    targets = -((1_000_000 - 2 * span * per_second) // 2_000_000)
    times = [Fraction((2 * j + 1) * 500_000) / per_second for j in range(targets)] or [Fraction(span, 2)]
    if sampling.frames is not None and len(times) > sampling.frames:
        before = (len(times) - sampling.frames) // 2
        times = times[before : before + sampling.frames]
    if timeline.is_constant:  # on the exact grid: rounded microseconds would pick uneven neighbours
        interval = Fraction(span, last - first)
        on_grid = [min(last - 1, first + int(time // interval)) for time in times]
        return np.unique(np.asarray(on_grid, np.int64))
    return np.unique(_shown_at([begin + int(time) for time in times], timeline, first, last))


def _centres_us(begin: int, end: int, n: int) -> list[int]:
    return [begin + (2 * k + 1) * (end - begin) // (2 * n) for k in range(n)]


def _shown_at(times_us: list[int], timeline: Timeline, first: int, last: int) -> np.ndarray:
    shown = np.searchsorted(timeline.starts_us, np.asarray(times_us, np.int64), side="right") - 1
    return np.clip(shown, first, last - 1).astype(np.int64)


def _end_us(timeline: Timeline, last: int, end_us: int | None) -> int:
    shown_until = int(timeline.starts_us[last]) if last < timeline.count else timeline.end_us
    return shown_until if end_us is None else min(end_us, shown_until)


def _possible(per_second: float | None) -> bool:
    return per_second is not None and 0 < per_second <= MAX_RATE


def _unusable(sampling: Sampling, wanted: str) -> UsageError:
    return UsageError(f"Sampling {sampling}", wanted=wanted, remedy="correct `samplings` in params.yaml")
