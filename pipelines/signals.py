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


def wait_passing_on(process: subprocess.Popen[bytes]) -> tuple[int, list[int]]:
    """Wait for a process's end; its exit code, and the SIGTERMs and SIGINTs that were to be passed on.

    A signal goes to what the process has started, and to what it starts afterwards: a stage that was ending
    anyway does not keep DVC from beginning the next. It goes to the process itself only when that has been
    alone for a while, as DVC is that fetches or hashes: between two stages DVC writes dvc.lock in place.
    Nobody gets one twice: of a second one a training ends before it has written its checkpoint. So the
    process must be in a group of its own, where ctrl-C reaches it in no other way.
    """
    asked: list[int] = []
    told: set[tuple[int, int]] = set()

    def ask(number: int, _: object) -> None:
        if number not in asked:
            asked.append(number)

    former = {number: signal.signal(number, ask) for number in heeded_signals()}
    last_seen_s = system.monotonic_s() - _ALONE_S
    try:
        while True:
            meant = _children(process.pid)
            if meant:
                last_seen_s = system.monotonic_s()
            elif system.monotonic_s() - last_seen_s >= _ALONE_S:
                meant = [process.pid]
            for signalled in {(one, number) for one in meant for number in asked} - told:
                _send(*signalled)
                told.add(signalled)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(_LOOK_AGAIN_S), asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def tell(process: int, number: int) -> None:
    """Send a signal to the processes that a process has started, or to it while there are none."""
    for one in _children(process) or [process]:
        _send(one, number)


def _send(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _children(process: int) -> list[int]:
    """The processes that a process has started and that have not been waited for (Linux)."""
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
