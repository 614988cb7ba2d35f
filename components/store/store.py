"""The content-addressed store of what was computed for one clip: a cache and nothing else."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from components.core.errors import UsageError
from components.core.files import array_digest
from components.core.s3 import is_address, s3_folder
from components.store.local import LocalFolder, StoredFile
from components.store.objects import DamagedObjectError, read_array, read_meta, read_object, write_object
from components.store.s3 import SharedFolder

log = logging.getLogger("tailwatch")

Found = TypeVar("Found")

_GB = 1e9


class Backend(Protocol):
    """Where objects lie, by name."""

    @property
    def near(self) -> LocalFolder:
        """The folder in which objects are read."""

    def path(self, name: str) -> Path | None:
        """An object's file on this machine, or None; the use is noted."""

    def borrow(self, name: str) -> AbstractContextManager[Path | None]:
        """An object's file for a while, or None; what is fetched for this does not stay."""

    def create(self, name: str) -> AbstractContextManager[Path]:
        """A path to write to; what was written becomes the object."""

    def files(self) -> Iterator[StoredFile]:
        """All objects."""

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""

    def discard(self, name: str) -> None:
        """Remove an object that is damaged where it was read, and wherever it is as damaged as there."""


class StoredObject:
    """Arrays of one clip with what is known about them; those of a file are read when they are asked for.

    An array that turns out to be damaged, or was removed meanwhile, is made again.

    Attributes:
        key: the digest of everything that made the object.
        digest: SHA-256 of the arrays' content.
        meta: plain JSON values.
        made: whether the object was computed now, not taken from the store.
    """

    def __init__(
        self,
        key: str,
        read: Callable[[str], np.ndarray],
        meta: dict[str, Any],
        *,
        made: bool,
        make: "Callable[[], StoredObject] | None" = None,
    ) -> None:
        self.key = key
        self.meta = meta
        self.digest: str = meta["digest"]
        self.made = made
        self._read = read
        self._make = make

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return self._read(name)
        except (DamagedObjectError, FileNotFoundError):
            if self._make is None:
                raise
            again = self._make()
            self.meta, self.digest, self.made = again.meta, again.digest, True
            self._read, self._make = again._read, None
            return self._read(name)


class Store:
    """Objects by kind and key.

    Args:
        where: a folder, or a backend.
    """

    def __init__(self, where: Path | Backend) -> None:
        self.backend: Backend = LocalFolder(where) if isinstance(where, Path) else where

    @classmethod
    def open(cls, root: str, near: Path, max_gb: float) -> "Store":
        """The store at a root.

        Args:
            root: a folder, or s3://bucket/prefix.
            near: the folder that keeps near what lies in a bucket.
            max_gb: cap of the folder on this machine.

        Raises:
            UsageError: another scheme.
        """
        if "://" not in root:
            return cls(LocalFolder(Path(root), max_gb * _GB))
        if not is_address(root):
            raise UsageError(
                f"The store's root is {root}",
                wanted="a folder or s3://bucket/prefix",
                remedy="correct store.root in params.yaml, or TAILWATCH_STORE",
            )
        return cls(SharedFolder(LocalFolder(near, max_gb * _GB), s3_folder(root)))

    def take(self, kind: str, key: str, make: Callable[[], StoredObject]) -> StoredObject:
        """The object of this key; what is not there, or turns out to be damaged, is made.

        Raises:
            StorageError: the store does not answer.
        """
        name = object_name(kind, key)
        path = self.backend.path(name)
        meta = None if path is None else self._unless_damaged(name, lambda: read_meta(path))
        if path is None or meta is None:
            return make()
        return StoredObject(key, partial(self._array, name, path), meta, made=False, make=make)

    def get(self, kind: str, key: str) -> StoredObject | None:
        """The object of this key, read and checked as a whole, or None; a damaged one is removed.

        Raises:
            StorageError: the store does not answer.
        """
        name = object_name(kind, key)
        path = self.backend.path(name)
        found = None if path is None else self._unless_damaged(name, lambda: read_object(path))
        return None if found is None else StoredObject(key, found[0].__getitem__, found[1], made=False)

    def put(
        self, kind: str, key: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]
    ) -> StoredObject:
        """Store arrays under a key, unless an equal key is there, in which case that object stays.

        Raises:
            StorageError: the store does not answer.
        """
        content = {name: np.asarray(arrays[name]) for name in sorted(arrays)}
        full = {**meta, "digest": array_digest(*content.values())}
        name = object_name(kind, key)
        if self.backend.near.path(name) is None:
            with self.backend.create(name) as temporary:
                write_object(temporary, content, full)
        return StoredObject(key, content.__getitem__, full, made=True)

    def has(self, kind: str, key: str) -> bool:
        """Whether an object of this key lies on this machine, without reading it."""
        return self.backend.near.path(object_name(kind, key)) is not None

    def made_from(self, clips: Collection[str]) -> Iterator[tuple[str, str]]:
        """Kind and key of every object made from one of these clips, or that does not say from which.

        Args:
            clips: SHA-256 of the clips' bytes, as `meta["clip"]` has it.

        Raises:
            StorageError: the store does not answer.
        """
        near = {file.name for file in self.backend.near.files()}
        for name in sorted(near | {file.name for file in self.backend.files()}):
            meta = self._meta_of(name)
            if meta is not None and meta.get("clip") in (None, *clips):
                kind, _, key = name.split("/")
                yield kind, key.removesuffix(".npz")

    def remove(self, kind: str, key: str) -> None:
        """Remove an object, if it is there, wherever it lies."""
        self.backend.remove(object_name(kind, key))

    def _meta_of(self, name: str) -> dict[str, Any] | None:
        """An object's meta, wherever it lies; none of one that is gone, nothing in that of a damaged one."""
        with self.backend.borrow(name) as path:
            try:
                return None if path is None else read_meta(path)
            except FileNotFoundError:
                return None
            except DamagedObjectError:
                return {}

    def _array(self, name: str, path: Path, array: str) -> np.ndarray:
        try:
            return read_array(path, array)
        except DamagedObjectError as error:
            self._discard(name, error)
            raise

    def _unless_damaged(self, name: str, read: Callable[[], Found]) -> Found | None:
        try:
            return read()
        except FileNotFoundError:  # evicted since it was looked for
            return None
        except DamagedObjectError as error:
            self._discard(name, error)
            return None

    def _discard(self, name: str, error: DamagedObjectError) -> None:
        log.warning("%s; it is removed, and made again", error.came)
        self.backend.discard(name)


def object_name(kind: str, key: str) -> str:
    """An object's path below the root of its store; `is_object` recognises it."""
    return f"{kind}/{key[:2]}/{key}.npz"
