"""The content-addressed store of what was computed for one clip: a cache and nothing else."""

import json
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from components.core import system
from components.core.files import array_digest, atomic_path, canonical_json

_META = "__meta__"
_UNREADABLE = (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError)


class StoredObject:
    """Arrays of one clip with what is known about them.

    Attributes:
        key: the digest of everything that made the object.
        digest: SHA-256 of the arrays' content.
        meta: plain JSON values.
        made: whether the object was computed now, not taken from the store.
    """

    def __init__(self, key: str, content: Mapping[str, np.ndarray], meta: dict[str, Any], made: bool) -> None:
        self.key = key
        self.meta = meta
        self.digest: str = meta["digest"]
        self.made = made
        self._content = content

    def __getitem__(self, name: str) -> np.ndarray:
        return self._content[name]


class Store:
    """Objects by kind and key in a local folder.

    Args:
        root: the folder; made when the first object is put.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def get(self, kind: str, key: str) -> StoredObject | None:
        """The object of this key, or None; one that cannot be read is removed and counts as not there."""
        path = self._path(kind, key)
        if not path.is_file():
            return None
        try:
            content = np.load(path, allow_pickle=False)
            meta = json.loads(bytes(content[_META]).decode())
            return StoredObject(key, content, meta, made=False)
        except _UNREADABLE:
            system.remove(path)
            return None

    def put(
        self, kind: str, key: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]
    ) -> StoredObject:
        """Store arrays under a key, unless an equal key is there, in which case that object stays."""
        content = {name: np.asarray(arrays[name]) for name in sorted(arrays)}
        full = {**meta, "digest": array_digest(*content.values())}
        path = self._path(kind, key)
        if not path.is_file():
            packed = np.frombuffer(canonical_json(full).encode(), np.uint8)
            with atomic_path(path) as temporary, temporary.open("wb") as stream:
                np.savez(stream, **{_META: packed}, **content)  # type: ignore[arg-type]
        return StoredObject(key, content, full, made=True)

    def has(self, kind: str, key: str) -> bool:
        """Whether there is an object of this key, without reading it."""
        return self._path(kind, key).is_file()

    def made_from(self, clips: Collection[str]) -> Iterator[tuple[str, str]]:
        """Kind and key of every object made from one of these clips, or that does not say from which.

        Args:
            clips: SHA-256 of the clips' bytes, as `meta["clip"]` has it.
        """
        for path in sorted(self.root.glob("*/*/*.npz")):
            kind, key = path.parts[-3], path.stem
            found = self.get(kind, key)
            if found is not None and found.meta.get("clip") in (None, *clips):
                yield kind, key

    def remove(self, kind: str, key: str) -> None:
        """Remove an object, if it is there."""
        system.remove(self._path(kind, key))

    def _path(self, kind: str, key: str) -> Path:
        return self.root / kind / key[:2] / f"{key}.npz"
