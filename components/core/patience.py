"""Seconds that are waited, where the environment may say otherwise."""

import os

from components.core.errors import UsageError


def patience_s(variable: str, usual: float) -> float:
    """The seconds that a variable of the environment names, or the usual ones.

    Raises:
        UsageError: it is no number above 0.
    """
    text = os.environ.get(variable, "")
    try:
        seconds = float(text or usual)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"{variable} is {text!r}", wanted="seconds above 0", remedy="correct or unset it")
    return seconds
