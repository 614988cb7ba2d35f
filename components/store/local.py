"""Objects in a folder, those that were used least recently given up when it grows over its cap."""

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.core import system
from components.core.files import atomic_path

log = logging.getLogger("tailwatch")

TOUCH_SPACING_S = 3600.0  # a use is noted in the object's modification time, but not oftener than this
_EVICT_TO = 0.9  # of the cap
_LOOKS_PER_CAP = 20
_told: set[Path] = set()
_OBJECT = re.compile(r"[^/.][^/]*/([0-9a-f]{2})/\1[0-9a-f]{62}\.npz")


@dataclass(frozen=True)
class StoredFile:
    """An object's file.

    Attributes:
        name: its path below the root.
        size: in bytes.
        used_s: when it was last used, to about an hour, in seconds since 1970.
    """

    name: str
    size: int
    used_s: float


class LocalFolder:
    """Objects below a folder, by name.

    Args:
        root: made when the first object is put.
        max_bytes: the cap; None: no cap.
    """

    def __init__(self, root: Path, max_bytes: float | None = None) -> None:
        self.root = root
        self.max_bytes = max_bytes
        self._opened_s = system.utc_now().timestamp()

    @property
    def near(self) -> "LocalFolder":
        """The folder in which objects are read."""
        return self

    def path(self, name: str) -> Path | None:
        """An object's file, or None."""
        path = self.root / name
        try:
            used_s = path.stat().st_mtime
        except FileNotFoundError:
            return None
        if system.utc_now().timestamp() - used_s > TOUCH_SPACING_S:
            with contextlib.suppress(OSError):  # a store may be read-only
                os.utime(path)
        return path

    @contextmanager
    def borrow(self, name: str) -> Iterator[Path | None]:
        """Yield an object's file, or None; its use is not noted."""
        path = self.root / name
        yield path if path.is_file() else None

    @contextmanager
    def create(self, name: str) -> Iterator[Path]:
        """Yield a path to write to; what was written becomes the object."""
        # Not synced: what a loss of power damages is found by its checksums, and made again.
        with atomic_path(self.root / name, synced=False) as temporary:
            yield temporary
            size = temporary.stat().st_size
        if self.max_bytes is not None and _is_drawn(name, size * _LOOKS_PER_CAP / self.max_bytes):
            self.evict()

    def files(self) -> Iterator[StoredFile]:
        """All objects, in no order; other files in the folder are not the store's."""
        yield from (file for file in _files(self.root, "") if is_object(file.name))

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        system.remove(self.root / name)

    def discard(self, name: str) -> None:
        """Remove an object that is damaged."""
        self.remove(name)

    def evict(self) -> None:
        """Remove what is over the cap."""
        for file in self.excess():
            self.remove(file.name)

    def excess(self) -> list[StoredFile]:
        """The objects to give up, if the cap is passed, so that the folder comes well under it.

        They are those used least recently; what was used since this run began stays, because the run would
        only make it again.
        """
        found = sorted(self.files(), key=lambda file: (file.used_s, file.name))
        total, excess = sum(file.size for file in found), []
        if self.max_bytes is None or total <= self.max_bytes:
            return []
        for file in found:
            if file.used_s >= self._opened_s - TOUCH_SPACING_S or total <= _EVICT_TO * self.max_bytes:
                break
            total -= file.size
            excess.append(file)
        if total > self.max_bytes:
            self._tell(total, self.max_bytes)
        return excess

    def _tell(self, total: int, max_bytes: float) -> None:
        if self.root not in _told:
            _told.add(self.root)
            log.warning(
                "the store holds %.1f GB, its cap is %.1f: what is left was used by this run or within "
                "the last hour and stays; raise store.max_gb if the disk allows",
                total / 1e9,
                max_bytes / 1e9,
            )


def is_object(name: str) -> bool:
    """Whether a path below a store's root is one that only the store gives: KIND/xx/KEY.npz."""
    return _OBJECT.fullmatch(name) is not None


def _is_drawn(name: str, probability: float) -> bool:
    """Whether to look at the whole folder after this object was put.

    A listing per put would cost too much, and a count kept beside would have to be shared by all processes.
    Names are digests, so they draw lots themselves: the folder is looked at about once in so many bytes.
    """
    return int(Path(name).stem[:8], 16) / 2**32 < probability


def _files(folder: Path, place: str) -> Iterator[StoredFile]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(folder / entry.name, f"{place}{entry.name}/")
            continue
        with contextlib.suppress(FileNotFoundError):  # removed by another process meanwhile
            status = entry.stat()
            yield StoredFile(f"{place}{entry.name}", status.st_size, status.st_mtime)
