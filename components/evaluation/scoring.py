"""A model's predictions of labelled clips: bundle and tensors in, one table out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from components.core.errors import BadDataError
from components.datasets.clips import Label
from components.evaluation.metrics import Scored
from components.evaluation.predictions import ClipPredictions, class_indices

SPLITS = ("train", "val", "test")
FRAME_THRESHOLD = 0.5

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Predicting(Protocol):
    """What is needed of a model bundle."""

    @property
    def info(self) -> Any:
        """The bundle's description, with `classes` and `threshold`."""

    def predict(
        self, frames: np.ndarray | None, numbers: np.ndarray | None, rows: Sequence[int] | None = None
    ) -> Any:
        """`clip` and `raw` (N, K), `frames` (N, T, K) or None, of the clips in `rows`."""


@dataclass(frozen=True)
class Tensors:
    """A view's tensors of N clips.

    Attributes:
        clip_ids: N names, in the order of the arrays.
        frames: (N, T, H, W, 3) uint8 RGB, or None for a view without pixels; may be memory-mapped.
        numbers: (N, T, 29) unscaled, carried, or None for a view without numbers.
        measured: (N, T, 29) bool, beside `numbers`.
    """

    clip_ids: Sequence[str]
    frames: np.ndarray | None
    numbers: np.ndarray | None
    measured: np.ndarray | None

    def coverage(self) -> Floats:
        """(N,) share of each clip's wanted numbers that were measured; a view that wants none lacks none."""
        if self.measured is None:
            return np.ones(len(self.clip_ids))
        return self.measured.reshape(len(self.measured), -1).mean(axis=1)


@dataclass(frozen=True)
class Scoring:
    """What a model says of the clips of all splits.

    Attributes:
        clips: per clip.
        frames: (N, T, K) uncalibrated probabilities in the order of `clips`; None for a model of clips.
        absent: clips that belong to a split and are not among the tensors, because they could not be used.
    """

    clips: ClipPredictions
    frames: Floats | None
    absent: tuple[str, ...]


def score(bundle: Predicting, tensors: Tensors, labels: Mapping[str, Label]) -> Scoring:
    """Predict every clip that is labelled and in a split, sorted by clip_id.

    Raises:
        BadDataError: no such clip, or a label that the model does not know.
    """
    place = {clip_id: k for k, clip_id in enumerate(tensors.clip_ids)}
    in_split = sorted(clip_id for clip_id, label in labels.items() if label.holdout in SPLITS)
    known = [clip_id for clip_id in in_split if clip_id in place]
    if not known:
        raise BadDataError(
            f"None of {len(in_split)} labelled clips is among {len(place)} tensors",
            wanted="tensors of the labelled clips",
            remedy="run `dvc repro`, which runs the stages in order",
        )
    chosen = [place[clip_id] for clip_id in known]
    predictions = bundle.predict(tensors.frames, tensors.numbers, chosen)
    clips = _table(
        [labels[clip_id] for clip_id in known],
        predictions.clip,
        predictions.raw,
        tensors.coverage()[chosen],
        bundle,
    )
    absent = tuple(clip_id for clip_id in in_split if clip_id not in place)
    return Scoring(clips, predictions.frames, absent)


def decide(probabilities: Floats, threshold: float) -> Integers:
    """Class index (N,): of two classes the second from `threshold` on, of more the most probable."""
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] >= threshold).astype(np.int64)
    return probabilities.argmax(axis=1)


def frame_level(scoring: Scoring, split: str) -> Scored | None:
    """The frames of a split's clips as items of their own, each with its clip's label and source group.

    They are decided at FRAME_THRESHOLD, as calibration and the model's threshold were fitted to clips.
    """
    if scoring.frames is None:
        return None
    chosen = scoring.clips.splits == split
    clips, frames = scoring.clips.where(chosen), scoring.frames[chosen]
    per_clip = frames.shape[1]
    flat = frames.reshape(-1, frames.shape[2])
    return Scored(
        np.repeat(clips.labels, per_clip),
        decide(flat, FRAME_THRESHOLD),
        flat,
        np.repeat(clips.groups, per_clip),
        clips.classes,
    )


def _table(
    labels: Sequence[Label], probabilities: Floats, raw: Floats, coverage: Floats, bundle: Predicting
) -> ClipPredictions:
    classes = tuple(bundle.info.classes)
    return ClipPredictions(
        clip_ids=np.array([label.clip_id for label in labels]),
        splits=np.array([label.holdout for label in labels]),
        groups=np.array([label.source for label in labels]),
        labels=class_indices([label.label for label in labels], classes),
        predicted=decide(probabilities, bundle.info.threshold),
        probabilities=probabilities,
        raw=raw,
        coverage=coverage,
        classes=classes,
    )
