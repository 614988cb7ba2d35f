"""Digests of a person's files, computed once as long as a file stays as it is."""

import time
from pathlib import Path

from components.core.errors import BadDataError
from components.core.files import file_sha256, read_json, write_json

_SETTLED_NS = 2_000_000_000  # a file changed more recently might change again within its timestamp's tick


class DigestCache:
    """SHA-256 by path, size, modification and change time and inode of a file.

    Args:
        path: the JSON file where digests are remembered.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _read(path)
        self._used: dict[str, list[object]] = {}

    def sha256(self, file: Path) -> str:
        """The digest of a file's content."""
        status = file.stat()
        state = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        name = str(file)
        known = self._known.get(name, [])
        digest = str(known[-1]) if known[:-1] == state else file_sha256(file)
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS:
            self._used[name] = [*state, digest]
        return digest

    def save(self) -> None:
        """Remember the digests that were asked for; others are forgotten."""
        if self._used != self._known:
            write_json(self._path, self._used)


def _read(path: Path) -> dict[str, list[object]]:
    try:
        known = read_json(path)
    except BadDataError:  # not there yet, or damaged: a cache, so it is made anew
        return {}
    return known if isinstance(known, dict) else {}
