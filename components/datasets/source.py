"""Where a data set lies: a folder, or s3://bucket/prefix. It is only ever read."""

import hashlib
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Protocol

from components.core.errors import BadDataError, UsageError
from components.core.files import atomic_path
from components.core.s3 import S3Folder, is_address, s3_folder
from components.core.s3_client import MissingObjectError
from components.video.sequence import NUMBER, frame_files

FETCHED = Path(".tailwatch/clips")


class Source(Protocol):
    """A data set's files."""

    def list(self) -> list[str]:
        """All files as uris from the root, sorted, hidden ones left out."""

    def left_out(self) -> dict[str, str]:
        """Why others that are shown are not in the list, by uri, sorted."""

    def local(self, uri: str) -> Path:
        """The file on this machine.

        Raises:
            BadDataError: no such file.
            StorageError: the store of the data set does not answer.
        """

    def size(self, uri: str) -> int:
        """Bytes of a file, without fetching it; raises as `local` does."""


def open_root(root: str, fetched: Path = FETCHED) -> Source:
    """The data set at a root.

    Args:
        root: a folder, or s3://bucket/prefix (endpoint and keys as every AWS client: AWS_ENDPOINT_URL, ...).
        fetched: folder where remote files are kept once they were fetched.

    Raises:
        UsageError: another scheme, or a folder that is not there.
    """
    if "://" not in root:
        return LocalSource(_folder(Path(root)))
    if not is_address(root):
        raise UsageError(
            f"The data set's root is {root}",
            wanted="a folder or s3://bucket/prefix",
            remedy="correct dataset.root in params.yaml",
        )
    return S3Source(s3_folder(root), fetched)


def _folder(root: Path) -> Path:
    if not root.is_dir():
        raise UsageError(
            f"{root} is not a folder",
            wanted="the folder of the data set",
            remedy="correct dataset.root in params.yaml, or the environment variable that stands before it",
        )
    return root


class LocalSource:
    """A data set in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self) -> list[str]:
        """All files as uris from the root, sorted, hidden ones left out."""
        return sorted(uri for uri, flaw in self._shown if not flaw)

    def left_out(self) -> dict[str, str]:
        """Why others that are shown are not in the list, by uri, sorted."""
        return dict(sorted((uri, flaw) for uri, flaw in self._shown if flaw))

    @cached_property
    def _shown(self) -> tuple[tuple[str, str], ...]:
        return tuple(_walk(self.root, PurePosixPath(), frozenset()))

    def local(self, uri: str) -> Path:
        """The file itself, or what names the frames of a sequence.

        Raises:
            BadDataError: no such file, or one outside the data set.
        """
        path = self.root / _inside(uri)
        if not path.is_file() and not frame_files(path):
            raise BadDataError(
                f"{ascii(uri)[1:-1]} is not in the data set",
                wanted="the files that ingest saw",
                remedy="put it back, or run `dvc repro` so that ingest sees what is there",
            )
        return path

    def size(self, uri: str) -> int:
        """Bytes of a file."""
        return self.local(uri).stat().st_size


def _walk(folder: Path, place: PurePosixPath, above: frozenset[str]) -> Iterator[tuple[str, str]]:
    """All that is shown below a folder, with what keeps it from being read, if anything."""
    real = os.path.realpath(folder)
    if real in above:  # a link to a folder that it lies in
        return
    try:
        with os.scandir(folder) as scanned:
            entries = list(scanned)
    except OSError as error:
        yield f"{place}/", f"a folder that cannot be read: {error.strerror}"
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            yield from _walk(folder / entry.name, place / entry.name, above | {real})
        else:
            yield str(place / entry.name), _flaw(entry)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself
        return False


def _flaw(entry: os.DirEntry[str]) -> str:
    try:
        if not entry.is_file():
            return "not a file: a pipe, a socket or a broken link"
    except OSError as error:
        return f"not a file: {error.strerror}"
    return "" if os.access(entry, os.R_OK) else "a file that may not be read"


def _inside(uri: str) -> PurePosixPath:
    path = PurePosixPath(uri)
    if path.is_absolute() or ".." in path.parts or "\0" in uri:
        raise BadDataError(
            f"{ascii(uri)[1:-1]} does not lie inside the data set",
            wanted="a path from the data set's root, without `..`",
            remedy="correct `dataset.options.table` in params.yaml",
        )
    return path


class S3Source:
    """A data set below a prefix of a bucket."""

    def __init__(self, objects: S3Folder, fetched: Path) -> None:
        self.objects = objects
        self.fetched = fetched

    def list(self) -> list[str]:
        """All objects as uris from the root, sorted, hidden ones left out."""
        return sorted(item.name for item in self.objects.list() if _is_shown(item.name))

    def left_out(self) -> dict[str, str]:
        """Nothing: a bucket holds objects alone."""
        return {}

    def local(self, uri: str) -> Path:
        """The object fetched, once for each version of it.

        Raises:
            BadDataError: no such object.
            UsageError: frames, which are read from a folder alone.
            StorageError: no answer, or a body that does not agree with its checksum.
        """
        name = str(_inside(uri))
        try:
            head = self.objects.head(name)
        except MissingObjectError:
            if NUMBER in name:
                raise _frames_far_away(self.objects.address(name)) from None
            raise
        etag = head["ETag"].strip('"')
        version = f"{self.objects.bucket}/{self.objects.prefix}{name}:{etag}"
        digest = hashlib.sha256(f"{version}:{head['ContentLength']}".encode()).hexdigest()
        path = self.fetched / f"{digest}{PurePosixPath(uri).suffix.lower()}"
        if not path.is_file():
            with atomic_path(path) as temporary:
                self.objects.download(name, temporary, head["ETag"])
        return path

    def size(self, uri: str) -> int:
        """Bytes of an object, as the store says."""
        return int(self.objects.head(str(_inside(uri)))["ContentLength"])


def _frames_far_away(address: str) -> UsageError:
    return UsageError(
        f"{address} stands for many files, one a frame",
        wanted="frames in a folder: one by one they are too slow to fetch",
        remedy="copy the data set, for example with `aws s3 sync`, and set dataset.root to the copy",
    )


def _is_shown(uri: str) -> bool:
    return bool(uri) and not uri.endswith("/") and not any(part.startswith(".") for part in uri.split("/"))
