"""Signals to a process that starts others: passed on to those, once each."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from components.core.system import heeded_signals

_LOOK_AGAIN_S = 0.2


def wait_passing_on(process: subprocess.Popen[bytes]) -> tuple[int, list[int]]:
    """Wait for a process's end; its exit code, and the SIGTERMs and SIGINTs that were passed on.

    A signal goes to what the process has started, or to it while it has started nothing; and to what it
    starts afterwards, for a stage that was ending anyway does not keep DVC from beginning the next. Nobody
    gets one twice: of a second one a training ends before it has written its checkpoint. So the process must
    be in a group of its own, where ctrl-C reaches it in no other way.
    """
    asked: list[int] = []
    told: set[tuple[int, int]] = set()

    def ask(number: int, _: object) -> None:
        if number not in asked:
            asked.append(number)

    former = {number: signal.signal(number, ask) for number in heeded_signals()}
    try:
        while True:
            for number in asked:
                told |= {(number, one) for one in _tell(process.pid, number, told)}
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(_LOOK_AGAIN_S), asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def tell(process: int, number: int) -> None:
    """Send a signal to the processes that a process has started, or to it while there are none."""
    _tell(process, number, set())


def _tell(process: int, number: int, told: set[tuple[int, int]]) -> list[int]:
    meant = _children(process) or [process]
    for one in meant:
        if (number, one) not in told:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, number)
    return meant


def _children(process: int) -> list[int]:
    """The processes that a process has started and that have not been waited for (Linux)."""
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
