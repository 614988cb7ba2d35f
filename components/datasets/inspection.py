"""A first look at every video of a data set: its bytes' digest, its header, and its fingerprint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np

from components.core.code import code_digest
from components.core.errors import BadDataError
from components.core.files import digest
from components.core.parallel import map_items
from components.store.store import Store, StoredObject
from components.video.fingerprint import fingerprint

_KIND = "fingerprint"
_PACKAGES = ("av", "opencv-python", "numpy")


@dataclass(frozen=True, eq=False)
class Inspection:
    """What the first look at a video says.

    Attributes:
        properties: codec, container, size and rate as text; empty when it is unreadable.
        pictures: its fingerprint, (M, S, S) uint8; empty when it is unreadable.
        unreadable: why; empty when it is readable.
    """

    properties: Mapping[str, str]
    pictures: np.ndarray
    unreadable: str = ""


def inspect_all(store: Store, files: Mapping[str, Path]) -> dict[str, Inspection]:
    """Look at files that the store does not know yet, over all cores.

    Args:
        store: where the looks are remembered.
        files: by the SHA-256 of their bytes.

    Returns:
        By SHA-256.
    """
    keys = {sha256: _key(sha256) for sha256 in files}
    known = {sha256: store.get(_KIND, key) for sha256, key in keys.items()}
    new = [(sha256, key, files[sha256]) for sha256, key in keys.items() if known[sha256] is None]
    made = dict(zip((key for _, key, _ in new), _look(store, new), strict=True))
    return {sha256: _inspection(known[sha256] or made[key]) for sha256, key in keys.items()}


def _look(store: Store, new: Sequence[tuple[str, str, Path]]) -> list[StoredObject]:
    return list(map_items(partial(_inspect, store), new, label="inspected"))


def _inspect(store: Store, item: tuple[str, str, Path]) -> StoredObject:
    sha256, key, path = item
    try:
        header, pictures = fingerprint(path)
    except BadDataError as error:
        facts = {"unreadable": error.came, "clip": sha256}
        return store.put(_KIND, key, {"pictures": np.empty((0, 0, 0), np.uint8)}, facts)
    properties = {
        "codec": header.codec,
        "container": header.container,
        "size": f"{header.width}x{header.height}",
        "rate": str(header.average_rate or "unknown"),
    }
    meta = {"unreadable": "", "properties": properties, "clip": sha256}
    return store.put(_KIND, key, {"pictures": pictures}, meta)


def _inspection(stored: StoredObject) -> Inspection:
    return Inspection(stored.meta.get("properties", {}), stored["pictures"], stored.meta["unreadable"])


def _key(sha256: str) -> str:
    versions = {name: metadata.version(name) for name in _PACKAGES}
    return digest({"clip": sha256, "code": code_digest("components.video.fingerprint"), "packages": versions})
