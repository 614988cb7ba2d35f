"""`dvc repro`, one at a time in a project, its exit code that of the stage that failed."""

import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.core import system
from pipelines.artifacts import STATE_FOLDER
from pipelines.running import alone

_UNKNOWN = 1  # DVC failed before or after a stage, and said why


def run(folder: Path, arguments: Sequence[str]) -> int:
    """Run `dvc repro`; a second one in the same project waits for the first. Gives the exit code.

    A SIGTERM goes to the stage at work, which writes down what it can and ends with 143.
    """
    codes = folder / STATE_FOLDER / "exit"
    with alone(folder, "repro"):
        for old in codes.glob("*"):
            system.remove(old)
        process = system.start_beside(["dvc", "repro", *arguments], folder)

        def pass_on(number: int, _: Any) -> None:
            for child in _children(process.pid) or [process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, number)

        former = signal.signal(signal.SIGTERM, pass_on)
        try:
            failed = process.wait() != 0
        finally:
            signal.signal(signal.SIGTERM, former)
        return _code(codes) if failed else 0


def _children(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def _code(codes: Path) -> int:
    """What the stage that failed has left for us: DVC itself ends with 255 whatever the reason."""
    left = [int(path.read_text()) for path in codes.glob("*")]
    return next((code for code in left if code), _UNKNOWN)
