"""Signals to a process that starts others: passed on to those, once each."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from components.core import system
from components.core.system import heeded_signals

_LOOK_AGAIN_S = 0.2
_ALONE_S = 1.0


def wait_passing_on(
    process: subprocess.Popen[bytes], *, asked: list[int] | None = None, to_children: bool = True
) -> tuple[int, list[int]]:
    """Wait for a process's end; its exit code, and the SIGTERMs and SIGINTs that were to be passed on.

    Nobody gets one twice: of a second one a training ends before it has written its checkpoint. So the
    process must be in a group of its own, where ctrl-C reaches it in no other way.

    Args:
        asked: signals to pass on, to which another thread may add; those that this process gets are added.
        to_children: they go not to the process, which is DVC, but to what it has started and starts
            afterwards: a stage that was ending anyway does not keep DVC from beginning the next. DVC itself
            is told only when it has been alone for a while, as one that fetches or hashes: between two
            stages it writes dvc.lock in place.
    """
    asked = [] if asked is None else asked
    told: set[tuple[int, int]] = set()

    def ask(number: int, _: object) -> None:
        if number not in asked:
            asked.append(number)

    former = {number: signal.signal(number, ask) for number in heeded_signals()}
    last_seen_s = system.monotonic_s() - _ALONE_S
    try:
        while True:
            meant = _children(process.pid) if to_children else [process.pid]
            if meant:
                last_seen_s = system.monotonic_s()
            elif system.monotonic_s() - last_seen_s >= _ALONE_S:
                meant = [process.pid]
            for signalled in {(one, number) for one in meant for number in tuple(asked)} - told:
                _send(*signalled)
                told.add(signalled)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(_LOOK_AGAIN_S), asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _send(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _children(process: int) -> list[int]:
    """The processes that a process has started and that have not been waited for (Linux)."""
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
