"""Rates that a person states, of clips that lie as frames."""

from fractions import Fraction

from components.core.errors import UsageError
from components.video.timeline import MAX_RATE


def check_rate(fps: float) -> None:
    """Raise UsageError for a rate that no camera has."""
    if not 0 < fps <= MAX_RATE:  # false for NaN, too
        raise UsageError(
            f"dataset.options.fps is {fps}",
            wanted=f"frames a second, above 0 and up to {MAX_RATE}",
            remedy="correct it",
        )


def exact_rate(fps: float) -> str:
    """Frames a second as an exact fraction.

    Example:
        >>> exact_rate(3.0), exact_rate(12.5)
        ('3', '25/2')
    """
    return str(Fraction(str(fps)))
