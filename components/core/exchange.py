"""Small objects that several machines hand to each other, in a folder or below a prefix of a bucket.

Whoever puts an object that nobody else has put owns its name: folders and buckets alike give a name once.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from components.core import system
from components.core.errors import BadDataError, UsageError
from components.core.files import atomic_path
from components.core.s3 import S3Folder, is_address, s3_folder
from components.core.s3_client import MissingObjectError
from components.core.scratch import scratch_folder

Read = TypeVar("Read")

_TEMPORARY = ".tmp"


class Exchange(Protocol):
    """Objects by name; a name may have slashes.

    Every method raises StorageError, or OSError, when what holds the objects does not answer; `offer` raises
    UsageError where a bucket's server cannot give a name once.
    """

    def address(self, name: str = "") -> str:
        """Where an object lies, for people."""

    def names(self, prefix: str = "") -> list[str]:
        """Names of all objects below a prefix, which ends with a slash, in order."""

    def fetch(self, name: str, path: Path) -> bool:
        """Write an object's content to a file; whether it is there."""

    def offer(self, path: Path, name: str) -> bool:
        """Put a file's content under a name that nothing has yet; whether it was put."""

    def replace(self, path: Path, name: str) -> None:
        """Put a file's content under a name, whatever has it."""

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""


@dataclass(frozen=True)
class FolderExchange:
    """Objects that are files of a folder."""

    root: Path

    def address(self, name: str = "") -> str:
        """The path of an object."""
        return str(self.root / name)

    def names(self, prefix: str = "") -> list[str]:
        """Names of all objects below a prefix, in order."""
        found = (path for path in (self.root / prefix).rglob("*") if path.is_file())
        return sorted(
            path.relative_to(self.root).as_posix() for path in found if not path.name.endswith(_TEMPORARY)
        )

    def fetch(self, name: str, path: Path) -> bool:
        """Copy an object's content to a file; whether it is there."""
        try:
            content = (self.root / name).read_bytes()
        except FileNotFoundError:
            return False
        path.write_bytes(content)
        return True

    def offer(self, path: Path, name: str) -> bool:
        """Put a file's content under a name that nothing has yet; whether it was put."""
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.{secrets.token_hex(8)}{_TEMPORARY}")
        try:
            beside.write_bytes(path.read_bytes())
            system.sync(beside)
            return system.link(beside, target)
        finally:
            beside.unlink(missing_ok=True)

    def replace(self, path: Path, name: str) -> None:
        """Put a file's content under a name, whatever has it."""
        with atomic_path(self.root / name) as temporary:
            temporary.write_bytes(path.read_bytes())

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        system.remove(self.root / name)


@dataclass(frozen=True)
class BucketExchange:
    """Objects below a prefix of a bucket."""

    folder: S3Folder

    def address(self, name: str = "") -> str:
        """The address of an object."""
        return self.folder.address(name)

    def names(self, prefix: str = "") -> list[str]:
        """Names of all objects below a prefix, in order."""
        below = S3Folder(self.folder.bucket, f"{self.folder.prefix}{prefix}")
        return sorted(f"{prefix}{item.name}" for item in below.list())

    def fetch(self, name: str, path: Path) -> bool:
        """Write an object's content to a file; whether it is there."""
        try:
            self.folder.download(name, path)
        except MissingObjectError:
            path.unlink(missing_ok=True)
            return False
        return True

    def offer(self, path: Path, name: str) -> bool:
        """Put a file's content under a name that nothing has yet; whether it was put."""
        return self.folder.offer(path, name)

    def replace(self, path: Path, name: str) -> None:
        """Put a file's content under a name, whatever has it."""
        self.folder.replace(path, name)

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        self.folder.remove(name)


def open_exchange(root: str) -> Exchange:
    """The objects below a folder or s3://bucket/prefix.

    Raises:
        UsageError: another scheme.
    """
    if "://" not in root:
        return FolderExchange(Path(root).absolute())
    if not is_address(root):
        raise UsageError(
            f"{root} is no place for objects",
            wanted="a folder or s3://bucket/prefix",
            remedy="correct the address",
        )
    return BucketExchange(s3_folder(root))


def read_content(exchange: Exchange, name: str) -> bytes | None:
    """An object's content, or None."""
    with _scratch() as path:
        return path.read_bytes() if exchange.fetch(name, path) else None


def read_json(exchange: Exchange, name: str, make: Callable[[Any], Read], written_by: str) -> Read | None:
    """What an object's JSON says, or None.

    Args:
        make: makes it of the parsed JSON; raises ValueError, TypeError or KeyError for what is none.
        written_by: the command that writes such objects, for people.

    Raises:
        BadDataError: the object is no JSON, or none of these.
    """
    content = read_content(exchange, name)
    try:
        return None if content is None else make(json.loads(content))
    except (ValueError, TypeError, KeyError) as error:
        raise BadDataError(
            f"{exchange.address(name)} cannot be read: {error}",
            wanted=f"what `tailwatch {written_by}` writes",
            remedy="begin another run",
        ) from error


def write_content(exchange: Exchange, name: str, content: bytes) -> None:
    """Put content under a name, whatever has it."""
    with _scratch(content) as path:
        exchange.replace(path, name)


def claim(exchange: Exchange, name: str, content: bytes) -> bool:
    """Put content under a name that nothing has yet; whether the object is now this one.

    An answer that was lost on its way is made good: an object of the same content counts as put.
    """
    with _scratch(content) as path:
        return exchange.offer(path, name) or read_content(exchange, name) == content


@contextmanager
def _scratch(content: bytes | None = None) -> Iterator[Path]:
    with scratch_folder() as folder:
        path = folder / "object"
        if content is not None:
            path.write_bytes(content)
        yield path
