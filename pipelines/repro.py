"""`dvc repro`, one at a time in a project, its exit code that of the stage that failed."""

import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.core import system
from pipelines.dvc_command import COMMAND, environment
from pipelines.running import alone, forget_codes, recorded_codes

_UNKNOWN = 1  # DVC failed before or after a stage, and said why


def run(folder: Path, arguments: Sequence[str]) -> int:
    """Run `dvc repro`; a second one in the same project waits for the first. Gives the exit code.

    A SIGTERM goes to the stage at work, which writes down what it can and ends with 143.
    """
    with alone(folder, "repro"):
        forget_codes(folder)
        process = system.start_beside([*COMMAND, "repro", *arguments], folder, environment())

        def pass_on(number: int, _: Any) -> None:
            for child in _children(process.pid) or [process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, number)

        former = signal.signal(signal.SIGTERM, pass_on)
        try:
            failed = process.wait() != 0
        finally:
            signal.signal(signal.SIGTERM, former)
        return next(filter(None, recorded_codes(folder).values()), _UNKNOWN) if failed else 0


def _children(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
