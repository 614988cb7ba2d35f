"""Whether DVC is at work in a project: its lock is free while a stage runs, the locks on paths are not."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

_LOCK, RWLOCK = Path(".dvc", "tmp", "lock"), Path(".dvc", "tmp", "rwlock")


@contextmanager
def at_rest(root: Path) -> Iterator[bool]:
    """Whether no DVC process is at work; while this lasts, none begins."""
    lock = root / _LOCK
    if not lock.is_file():
        yield True
        return
    with lock.open("rb+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield not runs_a_stage(root)


def runs_a_stage(root: Path) -> bool:
    """Whether a living process holds one of DVC's locks on single paths, as it does while a stage runs."""
    return any(is_alive(process) for process in lock_holders(root))


def lock_holders(root: Path) -> set[int]:
    """The processes, perhaps dead ones, that hold DVC's locks on single paths."""
    try:
        held = json.loads((root / RWLOCK).read_bytes())
        infos = (*held.get("write", {}).values(), *chain(*held.get("read", {}).values()))
        return {info["pid"] for info in infos}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


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
