"""A first look at every video of a data set: its bytes' digest, its header, and its fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np

from components.core.code import code_digest
from components.core.errors import BadDataError
from components.core.files import digest
from components.core.parallel import map_items
from components.store.store import Store, StoredObject, object_name
from components.video.fingerprint import fingerprint
from components.video.probe import printable

_KIND = "fingerprint"
_PACKAGES = ("av", "opencv-python", "numpy")
_NO_PICTURES = np.empty((0, 0, 0), np.uint8)


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
    stored = {sha256: store.get(_KIND, key) for sha256, key in keys.items()}
    known = {sha256: _inspection(one) for sha256, one in stored.items() if one is not None}
    new = {sha256: (sha256, key, files[sha256]) for sha256, key in keys.items() if sha256 not in known}
    looked = map_items(partial(_inspect, store), list(new.values()), label="inspected", lost=_lost)
    return known | dict(zip(new, looked, strict=True))


def _lost(_: tuple[str, str, Path], cause: str) -> Inspection:
    """A video that ended its process; not remembered, because another machine may bear it."""
    return Inspection({}, _NO_PICTURES, cause)


def _inspect(store: Store, item: tuple[str, str, Path]) -> Inspection:
    sha256, key, path = item
    try:
        header, pictures = fingerprint(path)
    except BadDataError as error:
        reason = error.came.removeprefix(f"{printable(path.name)}: ")
        unread = {"unreadable": reason, "clip": sha256}
        return _inspection(store.put(_KIND, key, {"pictures": _NO_PICTURES}, unread))
    properties = {
        "codec": header.codec,
        "container": header.container,
        "size": f"{header.width}x{header.height}",
        "rate": str(header.average_rate or "unknown"),
    }
    read = {"unreadable": "", "properties": properties, "clip": sha256}
    return _inspection(store.put(_KIND, key, {"pictures": pictures}, read))


def _inspection(stored: StoredObject) -> Inspection:
    return Inspection(stored.meta.get("properties", {}), stored["pictures"], stored.meta["unreadable"])


def inspection_object(sha256: str) -> str:
    """The name in the store of the first look at a video."""
    return object_name(_KIND, _key(sha256))


def _key(sha256: str) -> str:
    versions = {name: metadata.version(name) for name in _PACKAGES}
    return digest({"clip": sha256, "code": code_digest("components.video.fingerprint"), "packages": versions})
