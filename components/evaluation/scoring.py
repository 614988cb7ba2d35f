"""A model's predictions of labelled clips: bundle and tensors in, one table out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from components.core.errors import BadDataError
from components.datasets.clips import SIDES, Label
from components.evaluation.metrics import Scored
from components.evaluation.predictions import ClipPredictions, class_indices
from components.models.logits import decide

FRAME_THRESHOLD = 0.5

Floats = NDArray[np.float64]


class Predicting(Protocol):
    """What is needed of a model bundle."""

    @property
    def info(self) -> Any:
        """The bundle's description, with `classes` and `threshold`."""

    def predict(
        self,
        frames: np.ndarray | None,
        numbers: np.ndarray | None,
        rows: Sequence[int] | None = None,
        activations: np.ndarray | None = None,
    ) -> Any:
        """What is said of the clips in `rows`, as `components.models.bundle.Predictions` has it.

        `predicted` (N,), `clip` and `raw` (N, K); `frames` (N, T, K), and of a scorer of anomalies `scores`
        (N,) and `frame_scores` (N, S), each else None.
        """


@dataclass(frozen=True)
class Tensors:
    """A view's tensors of N clips.

    Attributes:
        clip_ids: N names, in the order of the arrays.
        frames: (N, T, H, W, 3) uint8 RGB, or None for a view without pixels; may be memory-mapped.
        numbers: (N, T, 29) unscaled, carried, or None for a view without numbers.
        measured: (N, T, 29) bool, beside `numbers`.
        activations: (N, components.features.activation_layout.NUMBERS), or None for a view without them.
        times_s: (N, T) of the frames in their video, or None for a view without pixels.
    """

    clip_ids: Sequence[str]
    frames: np.ndarray | None
    numbers: np.ndarray | None
    measured: np.ndarray | None
    activations: np.ndarray | None = None
    times_s: np.ndarray | None = None

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
        frame_scores: (N, S) of a scorer of anomalies; else None.
        threshold: of clips, of the probability of the second class or of the score.
        shown: (N, T) bool, whether a frame shows its clip's class, by the intervals of its label; None for a
            view without pixels.
        times_s: (N, T) of the frames in their video; None for a view without pixels.
    """

    clips: ClipPredictions
    frames: Floats | None
    absent: tuple[str, ...]
    frame_scores: Floats | None = None
    threshold: float = FRAME_THRESHOLD
    shown: NDArray[np.bool_] | None = None
    times_s: Floats | None = None

    def said_of_frames(self) -> Floats | None:
        """Scores (N, S), or else probabilities (N, T, K), of frames, of which S may lack the first.

        None of a model that judges clips alone: a single score is that of the clip.
        """
        if self.frame_scores is None:
            return self.frames
        return self.frame_scores if self.frame_scores.shape[1] > 1 else None

    @property
    def first_frame(self) -> int:
        """The frame of the view that the first of which something is said is: 1 where S is T - 1."""
        said = self.said_of_frames()
        if said is None or self.shown is None or said.shape[1] < max(2, self.shown.shape[1] - 1):
            return 0
        return self.shown.shape[1] - said.shape[1]

    def frame_labels(self) -> NDArray[np.int64]:
        """Class index (N, S) of each frame of which something is said, -1 where nobody knows it.

        A frame has its clip's label, unless it lies outside of the intervals that the label names: then it
        is of the first of two classes; of more, nobody says what it shows.
        """
        said = self.said_of_frames()
        count = 0 if said is None else said.shape[1]
        labels = np.repeat(self.clips.labels[:, None], count, axis=1)
        if self.shown is None or self.first_frame + count != self.shown.shape[1]:
            return labels
        return np.where(self.shown[:, self.first_frame :], labels, 0 if len(self.clips.classes) == 2 else -1)


def score(bundle: Predicting, tensors: Tensors, labels: Mapping[str, Label]) -> Scoring:
    """Predict every clip that is labelled and in a split, sorted by clip_id.

    Raises:
        BadDataError: no such clip, or a label that the model does not know.
    """
    place = {clip_id: k for k, clip_id in enumerate(tensors.clip_ids)}
    in_split = sorted(clip_id for clip_id, label in labels.items() if label.holdout in SIDES)
    known = [clip_id for clip_id in in_split if clip_id in place]
    if not known:
        raise BadDataError(
            f"None of {len(in_split)} labelled clips is among {len(place)} tensors",
            wanted="tensors of the labelled clips",
            remedy="run `dvc repro`, which runs the stages in order",
        )
    chosen = [place[clip_id] for clip_id in known]
    also = {} if tensors.activations is None else {"activations": tensors.activations}
    predictions = bundle.predict(tensors.frames, tensors.numbers, chosen, **also)
    clips = _table(
        [labels[clip_id] for clip_id in known],
        predictions,
        tensors.coverage()[chosen],
        bundle,
    )
    absent = tuple(clip_id for clip_id in in_split if clip_id not in place)
    times_s = None if tensors.times_s is None else tensors.times_s[chosen]
    shown = None if times_s is None else shown_frames(times_s, [labels[name] for name in known])
    of_frames = (predictions.frames, absent, predictions.frame_scores)
    return Scoring(clips, *of_frames, float(bundle.info.threshold), shown, times_s)


def frame_level(scoring: Scoring, split: str) -> Scored | None:
    """The frames of a split's clips as items of their own, each with its label and source group.

    Frames whose label nobody knows are left out.

    Probabilities are decided at FRAME_THRESHOLD, as calibration and the model's threshold were fitted to
    clips; scores of anomalies at the model's.
    """
    found = scoring.said_of_frames()
    if found is None:
        return None
    chosen = scoring.clips.splits == split
    clips, of_frames = scoring.clips.where(chosen), scoring.frame_labels()[chosen]
    known = of_frames >= 0
    labels, flat = of_frames[known], found[chosen][known]
    groups = np.repeat(clips.groups[:, None], of_frames.shape[1], axis=1)[known]
    if scoring.frame_scores is None:
        return Scored(labels, decide(flat, FRAME_THRESHOLD), flat, groups, clips.classes)
    predicted = (flat >= scoring.threshold).astype(np.int64)
    nothing = np.full((len(flat), len(clips.classes)), np.nan)
    return Scored(labels, predicted, nothing, groups, clips.classes, flat)


def shown_frames(times_s: np.ndarray, labels: Sequence[Label]) -> NDArray[np.bool_]:
    """Whether frames (N, T) lie in an interval of their label; one without intervals is everywhere."""
    return np.array(
        [
            np.ones(len(times), bool)
            if not label.intervals
            else np.any([(start <= times) & (times < end) for start, end in label.intervals], axis=0)
            for times, label in zip(times_s, labels, strict=True)
        ]
    )


def _table(
    labels: Sequence[Label], predictions: Any, coverage: Floats, bundle: Predicting
) -> ClipPredictions:
    classes = tuple(bundle.info.classes)
    return ClipPredictions(
        clip_ids=np.array([label.clip_id for label in labels]),
        splits=np.array([label.holdout for label in labels]),
        groups=np.array([label.source for label in labels]),
        labels=class_indices([label.label for label in labels], classes),
        predicted=predictions.predicted,
        probabilities=predictions.clip,
        raw=predictions.raw,
        coverage=coverage,
        classes=classes,
        scores=predictions.scores,
    )
