"""The one layer through which files, object stores, the clock and child processes are reached.

Every operation has a number, counted over all processes of a run, so that the k-th can be made to fail:

    TAILWATCH_FAULT=kill|full|broken|count@K[:OPERATION]    what happens at the K-th operation (of that name)
    TAILWATCH_FAULT_LOG=FILE                                the operations so far, shared by all processes

Without these variables an operation costs a look at an empty variable.
"""

import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from components.core.errors import UsageError

_ERRORS = {"full": errno.ENOSPC, "broken": errno.EIO}
_KINDS = ("count", "kill", *_ERRORS)


def reach(operation: str, what: object = "") -> None:
    """Count an operation; the one that TAILWATCH_FAULT names fails.

    Args:
        operation: its name, like `file.rename`.
        what: the file, key or command, for the log.

    Raises:
        OSError: the fault is `full` (no space left) or `broken` (input/output error).
        UsageError: TAILWATCH_FAULT cannot be understood.
    """
    plan = os.environ.get("TAILWATCH_FAULT")
    if plan:
        _count(plan, operation, str(what))


def _count(plan: str, operation: str, what: str) -> None:
    kind, number, wanted = _parsed(plan)
    if wanted and not operation.startswith(wanted):
        return
    place = _place(f"{operation} {what!a}")
    if kind == "count" or place != number:
        return
    if kind == "kill":
        os.killpg(0, signal.SIGKILL)
    raise OSError(_ERRORS[kind], f"{os.strerror(_ERRORS[kind])} (TAILWATCH_FAULT={plan})", what)


def _parsed(plan: str) -> tuple[str, int, str]:
    kind, _, rest = plan.partition("@")
    number, _, wanted = rest.partition(":")
    if kind not in _KINDS or not number.isdecimal() or "TAILWATCH_FAULT_LOG" not in os.environ:
        raise UsageError(
            f"TAILWATCH_FAULT is {plan!r}",
            wanted=f"{'|'.join(_KINDS)}@NUMBER[:OPERATION], and TAILWATCH_FAULT_LOG",
            remedy="unset it: it is for tests alone",
        )
    return kind, int(number), wanted


def _place(line: str) -> int:
    """The operation's number from 1 up: appending is atomic, and every line has the same length."""
    width = 160
    entry = line.encode("ascii", "replace")[: width - 1].ljust(width - 1) + b"\n"
    log = os.open(os.environ["TAILWATCH_FAULT_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(log, entry)
        return os.lseek(log, 0, os.SEEK_CUR) // width
    finally:
        os.close(log)


def sync(path: Path) -> None:
    """Bring a written file to the disk."""
    reach("file.sync", path)
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def rename(source: Path, target: Path) -> None:
    """Give a file its final name, in place of what bears it."""
    reach("file.rename", target)
    os.replace(source, target)


def link(source: Path, target: Path) -> bool:
    """Give a file a second name unless something bears it; whether it was given."""
    reach("file.link", target)
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    return True


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that it holds, if it is there."""
    reach("file.remove", path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def monotonic_s() -> float:
    """Seconds that only ever grow, for durations."""
    reach("clock")
    return time.monotonic()


def utc_now() -> datetime:
    """The time of day, for what people read."""
    reach("clock")
    return datetime.now(UTC)


def run(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and take what it prints; `options` as for subprocess.run."""
    reach("child.run", command[0])
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def start(
    command: Sequence[str | Path], environment: Mapping[str, str], errors: IO[Any]
) -> subprocess.Popen[bytes]:
    """Start a child that is spoken with through pipes and dies with this process."""
    reach("child.start", command[0])
    return subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        preexec_fn=ask_to_die_with(os.getpid()),  # noqa: PLW1509
    )


def start_beside(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    output: Any = None,
    *,
    apart: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a child that speaks for itself, in a folder; it dies with this process.

    Args:
        output: where its standard output goes, as subprocess.Popen has it; None: where this process's does.
        apart: in a process group of its own, so that a signal to this process's group does not reach it.
    """
    reach("child.start", command[0])
    return subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdout=output,
        process_group=0 if apart else None,
        preexec_fn=ask_to_die_with(os.getpid()),  # noqa: PLW1509
    )


def heeded_signals() -> list[signal.Signals]:
    """SIGTERM and SIGINT, less those this process was born to ignore: in a background job, SIGINT."""
    both = (signal.SIGTERM, signal.SIGINT)
    return [number for number in both if signal.getsignal(number) is not signal.SIG_IGN]


def die_with_parent(by: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to send this process a signal when the one that started it ends (Linux)."""
    PR_SET_PDEATHSIG = 1
    _prctl()(PR_SET_PDEATHSIG, by)


def ask_to_die_with(parent: int) -> Callable[[], None]:
    """What a child does before its exec to be killed when its parent ends, even if that just happened."""
    _prctl()

    def ask() -> None:
        die_with_parent()
        if os.getppid() != parent:
            os._exit(128 + signal.SIGKILL)

    return ask


def dies_with_parent() -> bool:
    """Whether the kernel was asked for that already, as whoever started this process may have (Linux)."""
    import ctypes

    PR_GET_PDEATHSIG = 2
    asked = ctypes.c_int()
    _prctl()(PR_GET_PDEATHSIG, ctypes.byref(asked))
    return asked.value != 0


@cache
def _prctl() -> Any:
    """Found before a fork: in the child of a process with threads, the loader's lock may never be free."""
    import ctypes

    return ctypes.CDLL(None, use_errno=True).prctl


def is_alive(process: int) -> bool:
    """Whether a process of this id is there and has not ended."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not is_unreaped(process)


def is_unreaped(process: int) -> bool:
    """Whether a process has ended and its parent has not looked yet (Linux); DVC takes it for living."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return False
