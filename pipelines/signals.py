"""Signals to a process that starts others: passed on to those, once each."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def passing_on(process: int) -> Iterator[list[int]]:
    """Pass a SIGTERM or SIGINT on to what a process has started, or to it; those that were passed on.

    Each is passed on once: of a second one a training ends before it has written its checkpoint. So the
    process must be in a group of its own, where ctrl-C reaches it in no other way.
    """
    passed_on: list[int] = []

    def pass_on(number: int, _: Any) -> None:
        if number not in passed_on:
            passed_on.append(number)
            tell(process, number)

    former = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield passed_on
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def tell(process: int, number: int) -> None:
    """Send a signal to the processes that a process has started, or to it while there are none."""
    for child in _children(process) or [process]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)


def _children(process: int) -> list[int]:
    """The processes that a process has started and that have not been waited for (Linux)."""
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
