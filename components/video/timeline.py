"""When each frame of a video is shown, in whole microseconds from the start of its stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

_UNKNOWN_INTERVAL_US = 40_000  # a single frame that no header gives a rate for is shown 1/25 s
_TICK_US = 1_000  # Matroska rounds times to milliseconds
MAX_RATE = 240


@dataclass(frozen=True, eq=False)
class Timeline:
    """Display intervals [starts_us[i], starts_us[i + 1]) of N frames; the last ends at end_us.

    Attributes:
        starts_us: (N,) int64, strictly increasing.
        end_us: where the last frame's interval ends.
    """

    starts_us: np.ndarray
    end_us: int

    @classmethod
    def of(cls, times_us: Sequence[int] | np.ndarray, rate: Fraction | None) -> "Timeline":
        """From the frames' times as a decoder gave them.

        Args:
            times_us: N times; when they do not increase (no times stored), `rate` lays them out.
            rate: frames a second by the header, if it says something sane.
        """
        starts = np.asarray(times_us, np.int64)
        interval = round(1_000_000 / rate) if rate else _UNKNOWN_INTERVAL_US
        if len(starts) > 1 and (np.diff(starts) <= 0).any():
            starts = np.asarray([round(k * 1_000_000 / (rate or 25)) for k in range(len(starts))], np.int64)
        if len(starts) > 1:
            interval = _last_interval_us(starts)
        return cls(starts, int(starts[-1]) + interval if len(starts) else 0)

    @property
    def count(self) -> int:
        """N."""
        return len(self.starts_us)

    @property
    def span_us(self) -> int:
        """From the first frame's start to the last one's end; 0 without frames."""
        return self.end_us - int(self.starts_us[0]) if self.count else 0

    @cached_property
    def is_constant(self) -> bool:
        """Whether no frame's start lies off an even grid by more than a tenth of an interval, or a tick."""
        if self.count < 3:
            return True
        first, last = int(self.starts_us[0]), int(self.starts_us[-1])
        steps = self.count - 1
        off_us = np.abs(self.starts_us - first - np.arange(self.count) * ((last - first) / steps))
        return bool(off_us.max() <= max(_TICK_US, (last - first) / steps / 10))

    def rate(self) -> Fraction | None:
        """Mean frames a second, from the times alone."""
        return Fraction(1_000_000 * self.count, self.span_us).limit_denominator(1001) if self.count else None

    def part(self, start_us: int, end_us: int | None) -> tuple[int, int]:
        """[first, last) of the frames that start inside the half-open span [start_us, end_us)."""
        first = int(np.searchsorted(self.starts_us, start_us))
        last = self.count if end_us is None else int(np.searchsorted(self.starts_us, end_us))
        return first, max(first, last)


def sane_rate(rate: Fraction | None) -> Fraction | None:
    """The rate, if a camera could have it: headers of cut files say 30000 frames a second."""
    return rate if rate and 0 < rate <= MAX_RATE else None


def _last_interval_us(starts: np.ndarray) -> int:
    intervals = np.diff(starts)
    total, count = int(intervals.sum()), len(intervals)
    mean = (2 * total + count) // (2 * count)
    spread = int(intervals.max()) - int(intervals.min())
    return mean if spread <= 2 * _TICK_US else int(np.median(intervals))
