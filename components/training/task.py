"""A task: one model, and what it is to be learned from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.core.files import array_digest, digest
from components.models.base import Definition, InputShapes
from components.training.settings import TrainSettings


@dataclass(frozen=True)
class Task:
    """What is to be learned from.

    Attributes:
        model_id, definition, settings: the model and its hyper-parameters.
        training: how it is trained.
        classes: labels in the order of their index.
        streams: tensors of all clips by name: frames uint8, numbers standardised, missing ones 0.
        train_rows, val_rows: the clips of each side, by their place in the tensors.
        labels: (N,) class index of every clip; of those on neither side it does not matter.
    """

    model_id: str
    definition: Definition
    settings: Any
    training: TrainSettings
    classes: tuple[str, ...]
    streams: Mapping[str, np.ndarray]
    train_rows: np.ndarray
    val_rows: np.ndarray
    labels: np.ndarray

    @property
    def shapes(self) -> InputShapes:
        """Shapes of one clip's tensors."""
        return InputShapes(**{name: tuple(tensor.shape[1:]) for name, tensor in self.streams.items()})

    def data_digest(self, clip_ids: Sequence[str]) -> str:
        """Digest of the clips of both sides, their labels and tensors; the test side has no part in it."""
        sides = {"train": self.train_rows, "val": self.val_rows}
        named = {
            side: [[clip_ids[row], int(self.labels[row])] for row in rows] for side, rows in sides.items()
        }
        tensors = {
            name: [array_digest(np.asarray(tensor[row])) for rows in sides.values() for row in rows]
            for name, tensor in self.streams.items()
        }
        return digest({"sides": named, "tensors": tensors})
