"""Whether a video is as fast as a sampling asks for; apart from reading, whose code is part of every key."""

from fractions import Fraction

from components.video.sampling import Sampling

_NEARLY = 0.99  # of the asked rate: 29.97 counts as 30


def is_slow(average_rate: str, sampling: Sampling) -> bool:
    """Whether a clip has fewer frames a second than a dense sampling asks for.

    Args:
        average_rate: frames a second as an exact fraction.

    Example:
        >>> ten = Sampling("dense", per_second=10)
        >>> is_slow("5", ten), is_slow("25", ten)
        (True, False)
    """
    return sampling.per_second is not None and Fraction(average_rate) < _NEARLY * sampling.per_second
