"""Whether DVC is at work in a project: its lock is free while a stage runs, the locks on paths are not."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCKS = Path(".dvc", "tmp")


@contextmanager
def at_rest(root: Path) -> Iterator[bool]:
    """Whether no DVC process is at work; while this lasts, none begins."""
    lock = root / _LOCKS / "lock"
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
    return any(is_alive(process) for process in _holders(root))


def is_alive(process: int) -> bool:
    """Whether there is a process of this id."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _holders(root: Path) -> set[int]:
    try:
        held = json.loads((root / _LOCKS / "rwlock").read_bytes())
        return {info["pid"] for infos in (held["write"].values(), *held["read"].values()) for info in infos}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
