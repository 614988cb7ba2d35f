"""Files: atomic writing, canonical JSON and digests."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from components.core import system
from components.core.errors import BadDataError


@contextmanager
def atomic_path(path: Path, *, synced: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is renamed to `path`, else removed.

    Args:
        synced: brought to the disk before it is renamed, so that a loss of power leaves no half of it.
    """
    system.reach("file.create", path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Containers that share a folder may have equal process ids.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.{os.getpid()}.tmp")
    try:
        yield temporary
        if synced:
            system.sync(temporary)
        system.rename(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, line ends as they stand."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode())


def canonical_json(value: Any) -> str:
    """JSON with sorted keys; NaN and infinity are refused because other readers refuse them."""
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def write_json(path: Path, value: Any) -> None:
    """Write JSON that a person can read, keys sorted, atomically."""
    write_text(path, json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False, indent=1) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        BadDataError: the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadDataError(
            f"{path} is not there",
            wanted="the JSON file that an earlier stage writes",
            remedy="run `dvc repro`",
        ) from None
    except ValueError as error:
        raise BadDataError(
            f"{path} is not JSON: {error}", wanted="a JSON file", remedy="remove it and run `dvc repro`"
        ) from error


def digest(value: Any) -> str:
    """Hexadecimal SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def array_digest(*arrays: np.ndarray) -> str:
    """Hexadecimal SHA-256 of the arrays' types, shapes and values."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.dtype.str}{array.shape}".encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()
