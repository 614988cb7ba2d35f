"""Checkpoints: all that a killed training needs to end with the same bytes as one that was not killed.

That is the network's weights and its seed generators, the optimizer's state, the best weights so far, and the
place in the epoch. A state file names the arrays that belong to it and is renamed into place last.
"""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from components.core import system
from components.core.errors import BadDataError
from components.core.files import file_sha256, read_json, write_json
from components.models.arrays import read_arrays, write_arrays
from components.training.progress import Progress

log = logging.getLogger("tailwatch")

STATE_FILE = "state.json"
WITHIN_EPOCH_S = 60.0


@dataclass(frozen=True)
class Checkpoint:
    """A training as it stood.

    Attributes:
        progress: its place.
        live: values of all variables, of network and optimizer, in their order.
        best: the best weights so far by layer path; empty before the first epoch is done.
    """

    progress: Progress
    live: Sequence[np.ndarray]
    best: Mapping[str, np.ndarray]


class Checkpoints:
    """The checkpoints of one training.

    Args:
        folder: its own, named after all that decides its result.
        spacing: a checkpoint is due once `spacing` times as long has passed as writing the last one took, so
            that writing costs little however large the network is; 0 makes one due after every step.
    """

    def __init__(self, folder: Path, spacing: float = 20.0) -> None:
        self.folder = folder
        self._spacing = spacing
        self._cost_s = 0.0
        self._written_s = system.monotonic_s()

    def is_due(self, epoch_is_done: bool) -> bool:
        """Whether to write now: soon at the end of an epoch, and within long epochs."""
        since_s = system.monotonic_s() - self._written_s
        longest_s = 0.0 if epoch_is_done or not self._spacing else WITHIN_EPOCH_S
        return since_s >= max(longest_s, self._spacing * self._cost_s)

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint; the one before it stays until this one is whole."""
        started_s = system.monotonic_s()
        self._write(checkpoint)
        self._written_s = system.monotonic_s()
        self._cost_s = self._written_s - started_s

    def _write(self, checkpoint: Checkpoint) -> None:
        progress = checkpoint.progress
        path = self.folder / f"step-{progress.step:08d}-epoch-{progress.epoch:04d}.npz"
        live = {f"live/{k:05d}": value for k, value in enumerate(checkpoint.live)}
        best = {f"best/{name}": value for name, value in checkpoint.best.items()}
        write_arrays(path, live | best)
        state = {"progress": progress.to_json(), "arrays": path.name, "sha256": file_sha256(path)}
        write_json(self.folder / STATE_FILE, state)
        for other in self.folder.glob("step-*.npz"):
            if other != path:
                system.remove(other)

    def read(self) -> Checkpoint | None:
        """The last whole checkpoint; None, said in the log, when there is none that can be used."""
        if not (self.folder / STATE_FILE).is_file():
            return None
        try:
            return self._read(read_json(self.folder / STATE_FILE))
        except (BadDataError, KeyError, TypeError, OSError) as error:
            log.warning("the checkpoint in %s cannot be used, training begins anew: %s", self.folder, error)
            return None

    def remove(self) -> None:
        """Forget this training."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self, state: Any) -> Checkpoint:
        path = self.folder / Path(state["arrays"]).name
        if file_sha256(path) != state["sha256"]:
            raise BadDataError(f"{path} is damaged", wanted=state["sha256"], remedy="remove it")
        arrays = read_arrays(path)
        live = [arrays[name] for name in sorted(arrays) if name.startswith("live/")]
        best = {
            name.removeprefix("best/"): array for name, array in arrays.items() if name.startswith("best/")
        }
        return Checkpoint(Progress(**state["progress"]), live, best)
