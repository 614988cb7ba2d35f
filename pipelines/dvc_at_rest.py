"""DVC's own files in a project: whether it is at work, and what a killed one left of them.

Its lock is free while a stage runs, the locks on paths are not.
"""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import yaml

from components.core.system import is_alive
from pipelines.provenance import LOCK_FILE

_LOCK, RWLOCK = Path(".dvc", "tmp", "lock"), Path(".dvc", "tmp", "rwlock")
_BEGINNING, _CONFLICT = b"schema: '2.0'\n", b"\n<<<<<<< "


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


def cut_short(root: Path) -> list[Path]:
    """Those of DVC's files that it cannot read: it writes them in place, and may be killed meanwhile.

    None while DVC is at work. A dvc.lock of another version, or with git's marks of a conflict, is not meant.
    """
    readers: dict[Path, Callable[[bytes], object]] = {
        root / LOCK_FILE: _read_lock_file,
        root / RWLOCK: json.loads,
    }
    with at_rest(root) as rests:
        return [path for path, read in readers.items() if rests and path.is_file() and not _can(read, path)]


def _can(read: Callable[[bytes], object], path: Path) -> bool:
    try:
        read(path.read_bytes())
    except (ValueError, yaml.YAMLError):
        return False
    return True


def _read_lock_file(content: bytes) -> None:
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from voluptuous import Invalid

    if content and (not content.startswith(_BEGINNING[: len(content)]) or _CONFLICT in content):
        return
    try:
        COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(content))
    except Invalid as error:
        raise ValueError(str(error)) from error
