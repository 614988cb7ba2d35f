"""Where a clip shows its label, in seconds of its video."""

from fractions import Fraction

from components.datasets.listing import Entry

Intervals = tuple[tuple[float, float], ...]


def intervals_s(entry: Entry, rate: Fraction | None) -> Intervals | None:
    """An entry's intervals [start, end) in seconds; None where frames cannot be told in seconds.

    Args:
        rate: frames a second of the video, exact, where the entry does not state it; None: not known.
    """
    rate = Fraction(entry.rate) if entry.rate else rate
    if not entry.intervals_frames:
        return entry.intervals
    if rate is None:
        return None
    return (
        *entry.intervals,
        *(seconds_of_frames(first, last, rate) for first, last in entry.intervals_frames),
    )


def seconds_of_frames(first: int, last: int, rate: Fraction) -> tuple[float, float]:
    """When frames are shown that are counted from 1, the last included: [start, end) in seconds.

    Example:
        >>> seconds_of_frames(165, 240, Fraction(30))
        (5.466666666666667, 8.0)

    Source: UCF-Crime's own evaluation (Sultani, Chen, Shah, CVPR 2018, Evaluate_Anomaly_Detector.m) takes its
    annotations for indices of MATLAB, which count from 1 and hold the last.
    """
    return float((first - 1) / rate), float(last / rate)
