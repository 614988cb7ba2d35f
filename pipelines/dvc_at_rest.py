"""Whether DVC is at work in a project: its lock is free while a stage runs, the locks on paths are not."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from components.core.system import is_alive

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
