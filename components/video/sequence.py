"""Clips that lie as pictures, one a frame: what a path names, in which order, and the digest of it all.

A path names a folder of frames, or with one `*` in its last part the frames of one clip among others:
`Abuse001_x264_*.png` stands for Abuse001_x264_0.png, Abuse001_x264_10.png and so on.
"""

import hashlib
import os
import re
import time
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path, PurePosixPath

from components.core.files import file_sha256

NUMBER = "*"
IMAGE_SUFFIXES = frozenset([".bmp", ".jpeg", ".jpg", ".png"])
_DIGITS = re.compile(r"([0-9]+)")
SETTLED_NS = 2_000_000_000  # what changed more recently might change again within its timestamp's tick


def is_sequence(path: Path) -> bool:
    """Whether a path names frames; a file of that very name is that file."""
    return not path.is_file() and (NUMBER in path.name or path.is_dir())


def frame_files(path: Path) -> list[Path]:
    """The frames that a path names, numbers in their names counted as numbers; empty: there are none."""
    if path.is_dir():
        return [path / name for name in sorted(_names(path), key=_natural) if is_image(name)]
    before, star, behind = path.name.partition(NUMBER)
    if not star or NUMBER in behind or not path.parent.is_dir():
        return []
    frame = re.compile(f"{re.escape(before)}[0-9]+{re.escape(behind)}")
    names = _names(path.parent)
    found = []
    for place in range(bisect_left(names, before), len(names)):
        if not names[place].startswith(before):
            break
        if frame.fullmatch(names[place]):
            found.append(names[place])
    return [path.parent / name for name in sorted(found, key=_natural)]


def sequences_among(uris: Iterable[str]) -> set[str]:
    """The paths that name the frames among some files: folders of frames, and frames of one beginning."""
    found = set()
    for path in map(PurePosixPath, filter(is_image, uris)):
        found.add(str(path.parent))
        before = path.stem.rstrip("0123456789")
        if before != path.stem:
            found.add(str(path.with_name(f"{before}{NUMBER}{path.suffix}")))
    return found


def is_image(name: str) -> bool:
    """Whether a file is a picture by its name."""
    path = PurePosixPath(name)
    return not path.name.startswith(".") and path.suffix.lower() in IMAGE_SUFFIXES


def content_sha256(path: Path) -> str:
    """SHA-256 of a video's bytes, or of the names and bytes of a sequence's frames in their order."""
    if not is_sequence(path):
        return file_sha256(path)
    total = hashlib.sha256()
    for file in frame_files(path):
        total.update(os.fsencode(file.name) + b"\0" + file_sha256(file).encode() + b"\n")
    return total.hexdigest()


def content_size(path: Path) -> int:
    """Bytes of a video, or of all frames of a sequence."""
    files = frame_files(path) if is_sequence(path) else [path]
    return sum(file.stat().st_size for file in files)


def _natural(name: str) -> tuple[list[int | str], str]:
    """What sorts frame 10 behind frame 9; parts of digits and of others take turns, so like meets like."""
    parts: list[int | str] = [int(part) if k % 2 else part for k, part in enumerate(_DIGITS.split(name))]
    return parts, name


def _names(folder: Path) -> list[str]:
    """The names in a folder, sorted; remembered, because a folder may hold the frames of many clips."""
    changed_ns = folder.stat().st_mtime_ns
    if time.time_ns() - changed_ns < SETTLED_NS:
        return sorted(os.listdir(folder))
    return _names_as_of(folder, changed_ns)


@lru_cache(maxsize=1)
def _names_as_of(folder: Path, _: int) -> list[str]:
    return sorted(os.listdir(folder))
