"""What lies in a watched place: one digest of all names, sizes and times, so that a change is seen."""

import errno
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

Entry = tuple[str, int, float, float]  # name, size, time of change, and when it came to be as it is

SKEW_S = 60.0  # by which the clocks of two machines may differ


@dataclass(frozen=True)
class Listing:
    """A place at one moment.

    Attributes:
        digest: of every file's name, size and time of change.
        files: how many.
        newest: when the last one came to be as it is, in seconds since 1970; 0 of an empty place.
        ahead: names of those that came to be in the future: no clock can tell whether they are at rest.
    """

    digest: str
    files: int
    newest: float
    ahead: tuple[str, ...]

    def is_quiet(self, seconds: float, now: float | None = None) -> bool:
        """Whether nothing changed within so many seconds, but for what is ahead."""
        return (time.time() if now is None else now) - self.newest >= seconds


def list_place(place: str) -> Listing:
    """A folder or an s3:// prefix, listed; no file is read.

    Raises:
        FileNotFoundError: the folder is not there.
        PermissionError: a folder that may not be read: what lies in it is not known.
    """
    return digest_of(_in_bucket(place) if place.startswith("s3://") else _in_folder(Path(place)))


def digest_of(entries: Iterable[Entry], now: float | None = None) -> Listing:
    """The listing of entries in any order."""
    found = sorted(entries)
    latest = (time.time() if now is None else now) + SKEW_S
    digest = hashlib.sha256()
    for name, size, changed, _ in found:
        digest.update(f"{name}\0{size}\0{changed!r}\n".encode("utf-8", "surrogateescape"))
    newest = max((came for *_, came in found if came <= latest), default=0.0)
    ahead = tuple(name for name, *_, came in found if came > latest)
    return Listing(digest.hexdigest(), len(found), newest, ahead)


def _in_folder(root: Path) -> Iterator[Entry]:
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is not there. Wanted: the folder of a data set")
    for path in _walk(root, frozenset()):
        try:
            state = path.stat()
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ELOOP):
                raise
            continue  # it went meanwhile, or it is a link that leads nowhere
        # st_mtime may be that of a copy's original, or of a camera's wrong clock; st_ctime is this disk's
        yield path.relative_to(root).as_posix(), state.st_size, state.st_mtime, state.st_ctime


def _walk(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    """All files below a folder; as ingest does, links to folders are followed, but in no circle."""
    real = os.path.realpath(folder)
    if real in above:
        return
    try:
        with os.scandir(folder) as scanned:
            paths = [folder / entry.name for entry in scanned]
    except FileNotFoundError:
        return  # it went meanwhile
    for path in paths:
        if os.path.isdir(path):
            yield from _walk(path, above | {real})
        else:
            yield path


def _in_bucket(place: str) -> Iterator[Entry]:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    pages = S3Hook().get_conn().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for item in page.get("Contents", ()):
            changed = item["LastModified"].timestamp()
            yield item["Key"].removeprefix(prefix), item["Size"], changed, changed
