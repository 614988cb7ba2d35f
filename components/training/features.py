"""Features of a frozen backbone, made once per clip and kept for every head, seed and epoch."""

import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core.files import array_digest, digest
from components.core.space import check_room
from components.models.environment import describe_environment
from components.models.frozen import FEATURES, Lower
from components.models.library import on_gpu
from components.models.networks import traced
from components.store.store import Store, StoredObject
from components.training.task import Task

if TYPE_CHECKING:
    import keras

log = logging.getLogger("tailwatch")

KIND, WEIGHTS_KIND = "features", "backbones"
OF_NO_CLIP = ""  # so that weights stay when a clip is forgotten


@dataclass(frozen=True)
class Pixels:
    """The frames of N clips, and what is known of them without reading them.

    Attributes:
        frames: (N, T, H, W, 3) uint8.
        digests: of every clip's frames, as `array_digest` gives them; empty where not known.
        files: SHA-256 of the files that the clips were cut from; empty where not known.
    """

    frames: np.ndarray
    digests: Sequence[str] = ()
    files: Sequence[str] = ()


def learns_from_features(task: Task) -> bool:
    """Whether only a head is trained; mirrored clips would have other features."""
    return bool(getattr(task.settings, "is_frozen", False)) and task.training.augmentation == "none"


class Features:
    """Features of clips, from the store or made.

    A clip's frames go through the backbone on their own, so its features do not depend on other clips.

    Args:
        store: where they are kept; None keeps none.
        scratch: folder for the features of one training, which are read batch by batch; by default the
            system's.

    Attributes:
        made: clips whose frames went through a backbone.
        taken: clips whose features were there.
    """

    def __init__(self, store: Store | None = None, scratch: Path | None = None) -> None:
        self.made = self.taken = 0
        self._store, self._scratch = store, scratch

    def of(self, lower: Lower, width: int, pixels: Pixels, rows: np.ndarray) -> np.ndarray:
        """The features (N, T, F) float32 of all clips, on disk.

        Args:
            width: F.
            rows: the clips that will be asked for; of all others it says 0.

        Raises:
            StorageError: the store does not answer.
            ResourceError: the disk is too small.
        """
        made, taken = self.made, self.taken
        n, t = pixels.frames.shape[:2]
        shape = (n, t, width)
        backbone = _Backbone(lower, pixels)
        with _scratch_file(self._scratch, int(np.prod(shape[1:])) * 4 * len(rows)) as file:
            for row in sorted(set(rows.tolist())):
                values = self._of_clip(backbone, row)
                file.seek(row * values.nbytes)
                file.write(values.tobytes())
            file.truncate(int(np.prod(shape)) * 4)
            file.flush()
            mapped: np.ndarray = np.memmap(file, np.float32, "r", shape=shape)
        log.info(
            "%s: features of %d clips made, of %d reused",
            *(lower.identity["name"], self.made - made, self.taken - taken),
        )
        return mapped

    def weights(self, lower: Lower) -> dict[str, np.ndarray]:
        """All weights of a backbone by layer path; it is built only where the store has none."""
        if self._store is None:
            return lower.weights
        key = digest({**lower.identity, "keras": version("keras")})  # which names the layers
        found = self._store.get(WEIGHTS_KIND, key)
        if found is None:
            weights = lower.weights
            meta = {"clip": OF_NO_CLIP, "paths": list(weights)}
            found = self._store.put(WEIGHTS_KIND, key, weights, meta)
        return {path: found[path] for path in found.meta["paths"]}

    def _of_clip(self, backbone: "_Backbone", row: int) -> np.ndarray:
        key = backbone.key(row)
        found = self._store.get(KIND, key) if self._store else None
        if found is not None:
            self.taken += 1
            return found[FEATURES]
        self.made += 1
        values = backbone(row)
        self._put(key, values, backbone.file(row))
        return values

    def _put(self, key: str, values: np.ndarray, clip: str | None) -> StoredObject | None:
        return self._store.put(KIND, key, {FEATURES: values}, {"clip": clip}) if self._store else None


class _Backbone:
    """The lower part of a network as a function of a clip's row, and the key of what it gives."""

    def __init__(self, lower: Lower, pixels: Pixels) -> None:
        self._lower, self._pixels = lower, pixels
        self._decides = {
            **lower.identity,
            "environment": describe_environment(),
            "on_gpu": on_gpu(),
        }

    def key(self, row: int) -> str:
        """The digest of all that decides the features of a clip."""
        known = self._pixels.digests
        of_clip = known[row] if known else array_digest(np.asarray(self._pixels.frames[row]))
        return digest({"pixels": of_clip, **self._decides})

    def file(self, row: int) -> str | None:
        """The digest of the file that a clip was cut from, if it is known."""
        return self._pixels.files[row] if self._pixels.files else None

    def __call__(self, row: int) -> np.ndarray:
        """Features (T, F) float32 of a clip."""
        frames = np.asarray(self._pixels.frames[row])
        of_frames = len(self._lower.network.input.shape) == 4  # (N, H, W, 3), not (N, T, H, W, 3)
        return self._ask(frames if of_frames else frames[None]).reshape(len(frames), -1)

    @cached_property
    def _ask(self) -> Callable[[np.ndarray], np.ndarray]:
        return _compiled(self._lower.network)


def _compiled(lower: "keras.Model") -> Callable[[np.ndarray], np.ndarray]:
    import tensorflow as tf

    (frames,) = lower.inputs
    ask = traced(lambda batch: lower(batch, training=False), tf.TensorSpec(frames.shape, frames.dtype))
    return lambda batch: np.asarray(ask(batch).numpy(), np.float32)


def _scratch_file(folder: Path | None, size: int) -> Any:
    """A file without a name, so that a killed training leaves nothing behind."""
    where = folder or Path(tempfile.gettempdir())
    where.mkdir(parents=True, exist_ok=True)
    check_room(where, size, "The features of one training")
    return tempfile.TemporaryFile(dir=where)
