"""Calls the ml environment's `tailwatch` as a process of its own: its lines go to the task's log."""

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO

GRACE_S = 120.0  # between SIGTERM and SIGKILL: long enough to write a checkpoint
KEPT = 200  # last lines of stdout

_LOOK_AGAIN_S = 0.1
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class Command:
    """One run of one command line.

    Args:
        argv: without a shell.
        folder: where it is called.
        environ: all its variables.
        tell: takes each line that it writes.
    """

    def __init__(
        self, argv: Sequence[str], folder: Path, environ: Mapping[str, str], tell: Callable[[str], None]
    ) -> None:
        self._tell = tell
        self.said: deque[str] = deque(maxlen=KEPT)
        self._process = subprocess.Popen(
            list(argv),
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # one call of libc, and no lock
        )

    def wait(self) -> int:
        """Its exit code once it has ended; negative: the signal that killed it."""
        readers = [
            Thread(target=self._read, args=(stream, keep), daemon=True)
            for stream, keep in ((self._process.stdout, True), (self._process.stderr, False))
        ]
        for reader in readers:
            reader.start()
        code = self._process.wait()
        for reader in readers:
            reader.join(timeout=5)  # a grandchild may hold the pipe open
        return code

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Ask it and its children to end; after `grace_s` seconds, make them."""
        self._signal(signal.SIGTERM)
        until = time.monotonic() + grace_s
        while not self._has_ended():
            if time.monotonic() >= until:
                self._signal(signal.SIGKILL)
                return
            time.sleep(_LOOK_AGAIN_S)

    def _has_ended(self) -> bool:
        """Asked of the system: Airflow stops a task in a signal's handler, and `wait` holds Popen's lock."""
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # `wait` has seen its end
            return True

    def _read(self, stream: IO[str] | None, keep: bool) -> None:
        for line in stream or ():
            text = line.rstrip("\n")
            if keep:
                self.said.append(text)
            self._tell(text)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def environment(environ: Mapping[str, str], program: str) -> dict[str, str]:
    """The variables for the ml environment: without Airflow's own, its commands first on the path."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(("AIRFLOW", "_AIRFLOW")) and name != "VIRTUAL_ENV"
    }
    folder = str(Path(program).parent)
    return {**kept, "PATH": f"{folder}{os.pathsep}{kept.get('PATH', os.defpath)}", "PYTHONUNBUFFERED": "1"}


def find_program(environ: Mapping[str, str], folder: Path) -> str:
    """Where `tailwatch` is: TAILWATCH_COMMAND, the project's .venv, or the path.

    Raises:
        FileNotFoundError: nowhere.
    """
    given = environ.get("TAILWATCH_COMMAND") or folder / ".venv" / "bin" / "tailwatch"
    found = shutil.which(given) or ("TAILWATCH_COMMAND" not in environ and shutil.which("tailwatch"))
    if not found:
        raise FileNotFoundError(
            f"{given} is not there. Wanted: the ml environment's command. "
            "To do: make setup, or name it in TAILWATCH_COMMAND"
        )
    return str(found)


def _die_with_parent() -> None:
    """A worker that is killed takes its command with it: SIGTERM, so that a checkpoint is written."""
    if hasattr(_LIBC, "prctl"):  # Linux
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
