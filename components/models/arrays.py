"""Arrays in one .npz file: equal arrays give equal bytes, and nothing is unpickled."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from components.core.errors import BadDataError
from components.core.files import atomic_path


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name, atomically, uncompressed, sorted."""
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of a file.

    Raises:
        BadDataError: the file is missing, damaged, or holds Python objects.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BadDataError(
            f"{path} cannot be read: {error}",
            wanted="an .npz file of plain arrays",
            remedy="remove it and run `dvc repro`",
        ) from error
