"""Digests of a person's files, computed once as long as a file, or a sequence of frames, stays as it is."""

import time
from pathlib import Path

from components.core.errors import BadDataError
from components.core.files import digest, read_json, write_json
from components.video.sequence import SETTLED_NS, content_sha256, frame_files, is_sequence


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
        state, changed_ns = _state(file)
        name = str(file)
        known = self._known.get(name, [])
        sha256 = str(known[-1]) if known[:-1] == state else content_sha256(file)
        if time.time_ns() - changed_ns > SETTLED_NS:
            self._used[name] = [*state, sha256]
        return sha256

    def save(self) -> None:
        """Remember the digests that were asked for; others are forgotten."""
        if self._used != self._known:
            write_json(self._path, self._used)


def _state(file: Path) -> tuple[list[object], int]:
    """What a file, or the frames of a sequence, look like from outside, and when they last changed."""
    files = frame_files(file) if is_sequence(file) else [file]
    statuses = [one.stat() for one in files]
    states = [[one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_ino] for one in statuses]
    changed_ns = max((max(one.st_mtime_ns, one.st_ctime_ns) for one in statuses), default=0)
    if not is_sequence(file):
        return list(states[0]), changed_ns
    return [digest([[one.name for one in files], states])], changed_ns


def _read(path: Path) -> dict[str, list[object]]:
    try:
        known = read_json(path)
    except BadDataError:  # not there yet, or damaged: a cache, so it is made anew
        return {}
    return known if isinstance(known, dict) else {}
