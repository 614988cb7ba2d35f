"""A stage run as a process: alone in its project, gone when DVC is gone, its exit code kept."""

import fcntl
import logging
import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path

from components.core import system
from components.core.errors import ResourceError, StorageError, UsageError
from components.core.files import write_text
from pipelines.artifacts import STATE_FOLDER, Project
from pipelines.params import check_is_project
from pipelines.ran import keep

log = logging.getLogger("tailwatch")

KILLED = 137  # as a shell has it, of SIGKILL
_CODES = Path(STATE_FOLDER, "exit")
_NAME = re.compile(r"\w[\w.-]*")
_LOCKS = Path(STATE_FOLDER, "locks")


def run_stage(
    folder: Path, stage: str, item: tuple[str, ...], exit_code: Callable[[BaseException], int]
) -> None:
    """Run a stage of the project in a folder; a second one of the same name waits for the first.

    Args:
        item: the view or the model, of a stage that has one.
        exit_code: the code that a failure means, for .tailwatch/exit/: DVC turns every failure into 255.

    Raises:
        UsageError: no project, or an item that is no name.
    """
    check_is_project(folder)
    _check_names(item)
    under_dvc = "DVC_STAGE" in os.environ
    if under_dvc and not system.dies_with_parent():  # a killed `dvc repro` must not leave a writer behind
        system.die_with_parent(signal.SIGTERM)
    name = "@".join((stage, *item))
    record = folder / _CODES / name
    with alone(folder, name):
        try:
            system.remove(record)
            write_text(record, f"{KILLED}\n")  # stays if the process has no time to say anything else
            _function(stage)(Project.open(folder), *item)
        except BaseException as error:
            with suppress(OSError):  # why it cannot be written is why the stage failed
                write_text(record, f"{exit_code(error)}\n")
            raise
        write_text(record, "0\n")
        if under_dvc:
            keep(folder, stage)


@contextmanager
def alone(folder: Path, name: str, *, waits: bool = True) -> Iterator[None]:
    """Hold a project's lock of this name, which the kernel gives back when the process ends in any way.

    Raises:
        StorageError: another process holds it, and this one does not wait.
    """
    path = folder / _LOCKS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "?"
            if not waits:
                raise StorageError(
                    f"{name} is being run by process {holder}",
                    wanted="a project in which nothing runs",
                    remedy="wait until it has ended, then run this again",
                ) from None
            log.warning("%s is being run by process %s: waiting for it", name, holder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _check_names(item: tuple[str, ...]) -> None:
    for name in item:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!a} is no name of a view or model",
                wanted="letters, digits, `_`, `-` and `.`",
                remedy="name one that params.yaml has",
            )


@contextmanager
def all_alone(folder: Path, names: Iterable[str]) -> Iterator[None]:
    """Hold the locks of these names and all others that were ever held.

    Raises:
        StorageError: another process holds one.
    """
    used = (path.name for path in (folder / _LOCKS).glob("*"))
    with ExitStack() as held:
        for name in sorted({*names, *used}):
            held.enter_context(alone(folder, name, waits=False))
        yield


def recorded_codes(folder: Path) -> dict[str, int]:
    """The exit code that each stage meant, by DVC's name of it: DVC ends with 255 whatever the reason."""
    return {path.name: int(path.read_text(encoding="utf-8")) for path in sorted((folder / _CODES).glob("*"))}


def killed(what: str) -> ResourceError:
    """The error of a process that was ended with SIGKILL."""
    return ResourceError(
        f"{what} was killed from outside",
        wanted="a process that ends by itself",
        remedy="if memory was short (`dmesg` says so), set TAILWATCH_WORKERS to fewer; run it again",
    )


def forget_codes(folder: Path) -> None:
    """Remove the exit codes of earlier runs."""
    for path in (folder / _CODES).glob("*"):
        system.remove(path)


def _function(stage: str) -> Callable[..., None]:
    if stage == "train":
        from pipelines.live import train_watched

        return train_watched
    function: Callable[..., None] = import_module(f"pipelines.{stage}").run
    return function
