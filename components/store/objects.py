"""An object's file: named arrays and what is known about them, an .npz that anyone can open.

Every member of the file carries a CRC-32, which is checked whenever the member is read to its end; the meta
carries the SHA-256 of all arrays, which costs a read of the whole file and is checked on demand.
"""

import io
import json
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from components.core.errors import BadDataError, StorageError
from components.core.files import array_digest, canonical_json

_META = "__meta__"
_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,  # a flipped bit says that a member is encrypted
    NotImplementedError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


class DamagedObjectError(BadDataError):
    """An object's file that is not what was written."""


def write_object(path: Path, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Write arrays and meta; equal content gives equal bytes."""
    packed = np.frombuffer(canonical_json(meta).encode(), np.uint8)
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in {_META: packed, **dict(sorted(arrays.items()))}.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                _write_array(member, np.asarray(array, order="C"))


def read_meta(path: Path) -> dict[str, Any]:
    """What is known about an object's arrays.

    Raises:
        FileNotFoundError: no such file.
        DamagedObjectError: the file is damaged.
        StorageError: the file cannot be opened.
    """
    meta = _read(path, _meta)
    if not isinstance(meta, dict) or not isinstance(meta.get("digest"), str):
        raise _damaged(path, "its meta names no digest")
    return meta


def read_array(path: Path, name: str) -> np.ndarray:
    """One array; raises as `read_meta`."""
    array: np.ndarray = _read(path, lambda archive: _array(archive, name))
    return array


def read_object(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """All arrays, which agree with the object's digest, and its meta; raises as `read_meta`."""
    meta = read_meta(path)
    arrays: dict[str, np.ndarray] = _read(path, _all)
    found = array_digest(*arrays.values())
    if found != meta["digest"]:
        raise _damaged(path, f"the SHA-256 of its arrays is {found}, not {meta['digest']}")
    return arrays, meta


def _read(path: Path, reader: Any) -> Any:
    with _opened(path) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return reader(archive)
        except _DAMAGE as error:
            raise _damaged(path, str(error) or type(error).__name__) from error


def _opened(path: Path) -> IO[bytes]:
    """A failure to open says nothing about the content: no such file, no right, too many open files."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StorageError(
            f"{path} cannot be opened: {error.strerror}",
            wanted="a store that can be read",
            remedy="see to the folder's rights and the limits of the system, then run it again",
        ) from error


def _write_array(member: IO[bytes], array: np.ndarray) -> None:
    """As `numpy.save`, which would cut the values into many pieces and copy each."""
    npy.write_array_header_1_0(member, npy.header_data_from_array_1_0(array))
    member.write(array.reshape(-1).view(np.uint8).data)


def _meta(archive: zipfile.ZipFile) -> Any:
    return json.loads(bytes(_array(archive, _META)).decode())


def _all(archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    names = sorted(name.removesuffix(".npy") for name in archive.namelist())
    return {name: _array(archive, name) for name in names if name != _META}


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as stream:
        _check_header(stream, member.file_size)
    with archive.open(member) as stream:
        array: np.ndarray = npy.read_array(stream, allow_pickle=False)
        if stream.read(1):  # at the end of the member its CRC is checked
            raise ValueError(f"{name} is longer than its header says")
        return array


def _check_header(stream: IO[bytes], size: int) -> None:
    """A header that lies about the shape must not make us ask for memory."""
    head = io.BytesIO(stream.read(1 << 12))
    read = npy.read_array_header_1_0 if npy.read_magic(head) == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(head)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != size - head.tell():
        raise ValueError(f"a header says {dtype} {shape}, which {size} bytes do not hold")


def _damaged(path: Path, reason: str) -> DamagedObjectError:
    return DamagedObjectError(
        f"{path} is damaged: {reason}", wanted="an object as it was stored", remedy="remove it"
    )
