"""A first look at every video of a data set: its bytes' digest, its header, and its fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
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
_PACKAGES = ("av", "opencv-python", "pillow", "numpy")
_NO_PICTURES = np.empty((0, 0, 0), np.uint8)


@dataclass(frozen=True, eq=False)
class Inspection:
    """What the first look at a video says.

    Attributes:
        properties: codec, container, size and rate as text; empty when it is unreadable.
        pictures: its fingerprint, (M, S, S) uint8; empty when it is unreadable.
        rate: frames a second, exact: the header's, else as the packets' times tell; None when nothing tells.
        unreadable: why; empty when it is readable.
    """

    properties: Mapping[str, str]
    pictures: np.ndarray
    rate: Fraction | None = None
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


def known_rate(store: Store, sha256: str) -> Fraction | None:
    """Frames a second of a file, as an earlier look says; None where nobody looked, or nothing tells."""
    stored = store.get(_KIND, _key(sha256))
    return None if stored is None else _inspection(stored).rate


def _lost(_: tuple[str, str, Path], cause: str) -> Inspection:
    """A video that ended its process; not remembered, because another machine may bear it."""
    return Inspection({}, _NO_PICTURES, unreadable=cause)


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
    rate = header.average_rate or header.packets.rate()
    read = {"unreadable": "", "properties": properties, "rate": str(rate or ""), "clip": sha256}
    return _inspection(store.put(_KIND, key, {"pictures": pictures}, read))


def _inspection(stored: StoredObject) -> Inspection:
    meta = stored.meta
    rate = Fraction(meta["rate"]) if meta.get("rate") else None
    return Inspection(meta.get("properties", {}), stored["pictures"], rate, meta["unreadable"])


def inspection_object(sha256: str) -> str:
    """The name in the store of the first look at a video."""
    return object_name(_KIND, _key(sha256))


def _key(sha256: str) -> str:
    versions = {name: metadata.version(name) for name in _PACKAGES}
    return digest({"clip": sha256, "code": code_digest("components.video.fingerprint"), "packages": versions})
