"""Temporary folders that do not outlive a killed process for ever: the next command removes them."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from components.core import system

_PREFIX = "tailwatch-"
_OWNER = ".owner"  # locked while the process lives that made the folder


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a folder that is removed in the end; those of dead processes are removed first."""
    remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))  # noqa: TID251
    unnamed = folder / f"{_OWNER}.tmp"
    with unnamed.open("wb") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        try:
            system.rename(unnamed, folder / _OWNER)  # nobody sees it unlocked
            yield folder
        finally:
            shutil.rmtree(folder)


def remove_abandoned() -> None:
    """Remove the folders that killed processes left."""
    for folder in abandoned():
        with suppress(OSError):  # another process may be at it
            system.remove(folder)


def abandoned() -> list[Path]:
    """Folders of this user whose processes are dead."""
    return [
        folder for folder in sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")) if _is_abandoned(folder)
    ]


def _is_abandoned(folder: Path) -> bool:
    try:
        if folder.is_symlink() or folder.lstat().st_uid != os.getuid():
            return False
        with (folder / _OWNER).open("rb") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # it has no owner, or one that lives
        return False
    return True
