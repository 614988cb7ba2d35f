"""The clips of one side of a split, drawn batch by batch from memory-mapped tensors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from components.core.errors import BadDataError

SHUFFLE, FLIP = 0, 1  # separate streams of random numbers, so that turning one off leaves the other as it was


@dataclass(frozen=True)
class Samples:
    """M samples: whole clips, or single frames of clips.

    Attributes:
        streams: tensors of all N clips by name: frames (N, T, H, W, 3) uint8, numbers (N, T, 29) float32
            standardised; never read as a whole.
        rows: (M,) the clip of each sample.
        places: (M,) the frame of each sample within its clip; None for whole clips.
        labels: (M,) class index.
        weights: (M,) float32, of each sample in the loss.
    """

    streams: Mapping[str, np.ndarray]
    rows: np.ndarray
    places: np.ndarray | None
    labels: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Batch:
    """B samples, read: inputs by stream (B, ...), labels (B,), weights (B,)."""

    inputs: dict[str, np.ndarray]
    labels: np.ndarray
    weights: np.ndarray

    def divided(self, parts: int) -> Iterator["Batch"]:
        """The samples in order, in so many batches of nearly equal size, none of them empty."""
        for rows in np.array_split(np.arange(len(self.labels)), min(parts, len(self.labels))):
            inputs = {name: values[rows] for name, values in self.inputs.items()}
            yield Batch(inputs, self.labels[rows], self.weights[rows])


def clips_of(
    streams: Mapping[str, np.ndarray], rows: np.ndarray, labels: np.ndarray, class_weights: np.ndarray
) -> Samples:
    """One sample per clip.

    Args:
        rows: (M,) places of the clips in the tensors.
        class_weights: (K,).
    """
    return Samples(streams, rows, None, labels, class_weights[labels].astype(np.float32))


def frames_of(
    streams: Mapping[str, np.ndarray], rows: np.ndarray, labels: np.ndarray, class_weights: np.ndarray
) -> Samples:
    """One sample per frame, with its clip's label."""
    t = next(iter(streams.values())).shape[1]
    places, labels = np.tile(np.arange(t), len(rows)), np.repeat(labels, t)
    return Samples(streams, np.repeat(rows, t), places, labels, class_weights[labels].astype(np.float32))


def batches(samples: Samples, size: int, order: Sequence[int] | np.ndarray | None = None) -> Iterator[Batch]:
    """Read samples batch by batch; the last batch may be smaller.

    Args:
        order: which samples, in which order; by default all, as they stand.
    """
    chosen = np.arange(len(samples)) if order is None else np.asarray(order)
    for start in range(0, len(chosen), size):
        part = chosen[start : start + size]
        inputs = {name: _read(samples, name, part) for name in samples.streams}
        yield Batch(inputs, samples.labels[part], samples.weights[part])


def epoch_order(samples: Samples, seed: int, epoch: int) -> np.ndarray:
    """The order of an epoch's samples: known from seed and epoch alone, so a resumed epoch has the same."""
    return np.random.default_rng([seed, epoch, SHUFFLE]).permutation(len(samples))


def epoch_flips(samples: Samples, seed: int, epoch: int) -> np.ndarray:
    """(M,) bool: which samples are mirrored in an epoch."""
    return np.random.default_rng([seed, epoch, FLIP]).random(len(samples)) < 0.5


def mirrored(batch: Batch, flips: np.ndarray) -> Batch:
    """The batch with the frames of some samples mirrored left to right; flips (B,) bool."""
    frames = batch.inputs["frames"].copy()
    frames[flips] = frames[flips][..., ::-1, :]  # (..., H, W, 3)
    return Batch({**batch.inputs, "frames": frames}, batch.labels, batch.weights)


def class_weights(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """(K,) weights under which every class weighs the same and the mean over clips is 1: n / (K * n_k)."""
    counts = np.bincount(labels, minlength=n_classes)
    return len(labels) / (n_classes * np.maximum(counts, 1))


def check_classes(side: str, labels: np.ndarray, classes: Sequence[str]) -> None:
    """Refuse a side that lacks a class.

    Raises:
        BadDataError: a class has no clip there.
    """
    counts = np.bincount(labels, minlength=len(classes))
    missing = [name for name, count in zip(classes, counts, strict=True) if not count]
    if missing:
        raise BadDataError(
            f"The {side} side has {len(labels)} clips, none of class {', '.join(missing)}",
            wanted="at least one clip of every class on the train side and on the val side",
            remedy="add clips of it, or change the split (`tailwatch split` searches a seed for it)",
        )


def _read(samples: Samples, name: str, part: np.ndarray) -> np.ndarray:
    tensor, rows = samples.streams[name], samples.rows[part]
    read = tensor[rows] if samples.places is None else tensor[rows, samples.places[part]]
    forget_pages(tensor)
    return np.asarray(read)


def forget_pages(tensor: np.ndarray) -> None:
    """Hand a mapped file's pages back, so that memory stays flat however large the data set is."""
    import mmap

    mapped = getattr(tensor, "_mmap", None)
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED") and not tensor.flags.writeable:
        mapped.madvise(mmap.MADV_DONTNEED)
