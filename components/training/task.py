"""A task: one model, and what it is to be learned from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from components.core.files import array_digest, digest
from components.models.base import NORMAL, Definition, InputShapes
from components.models.pretrained import located
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
        test_rows: clips that the model is asked about when it has learned; they have no part in that.
        groups: (N,) source group of every clip.
        digests: of every clip's tensor by stream, as `array_digest` gives them, where they are known without
            reading it.
        files: SHA-256 of the files that the clips were cut from, where known.
        root: where relative paths of weights in the settings begin; it decides nothing.
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
    test_rows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    groups: np.ndarray = field(default_factory=lambda: np.zeros(0, np.str_))
    digests: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Sequence[str] = ()
    root: Path = Path()

    @property
    def located(self) -> Any:
        """The settings, for whoever opens files of weights."""
        return located(self.settings, self.root)

    @property
    def learned_rows(self) -> np.ndarray:
        """The clips of the train side that the model learns from."""
        return self.train_rows if self.definition.learns_from == "all" else self.normal(self.train_rows)

    def normal(self, rows: np.ndarray) -> np.ndarray:
        """Those of these clips that are of the normal class."""
        return rows[self.labels[rows] == NORMAL]

    @property
    def shapes(self) -> InputShapes:
        """Shapes of one clip's tensors."""
        return InputShapes(**{name: tuple(tensor.shape[1:]) for name, tensor in self.streams.items()})

    def data_digest(self, clip_ids: Sequence[str]) -> str:
        """Digest of the clips of both sides, their labels and tensors; the test side has no part in it."""
        return digest([self.digest_of(clip_ids, rows) for rows in (self.train_rows, self.val_rows)])

    def digest_of(self, clip_ids: Sequence[str], rows: np.ndarray) -> str:
        """Digest of some clips, their labels, source groups and tensors."""
        groups = self.groups if len(self.groups) else clip_ids
        named = [[clip_ids[row], int(self.labels[row]), str(groups[row])] for row in rows]
        tensors = {name: [self._digest(name, row) for row in rows] for name in self.streams}
        return digest({"clips": named, "tensors": tensors})

    def _digest(self, stream: str, row: int) -> str:
        known = self.digests.get(stream)
        return known[row] if known else array_digest(np.asarray(self.streams[stream][row]))
