"""A tensor of all clips on disk, opened when a clip of it is first read."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from components.core.errors import BadDataError
from components.training.data import forget_pages


class TensorFile:
    """Stands in for the array of uint8 in an .npy file: its shape is known, its rows are read on demand.

    Attributes:
        shape: (N, ...), as the file's header must have it.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self._path = path

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        read = np.array(self._mapped[key])
        forget_pages(self._mapped)
        return read

    @cached_property
    def _mapped(self) -> np.ndarray:
        found = np.load(self._path, mmap_mode="r", allow_pickle=False)
        if found.shape != self.shape or found.dtype != self.dtype:
            raise BadDataError(
                f"{self._path} holds {found.dtype} {found.shape}",
                wanted=f"{self.dtype} {self.shape}, as clips.json beside it says",
                remedy="run `dvc repro`, which runs reshape before train",
            )
        return found
