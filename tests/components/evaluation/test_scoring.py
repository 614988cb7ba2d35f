"""Clips and frames of a model that answers what it is told."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.datasets.clips import Label
from components.evaluation.predictions import ClipPredictions
from components.evaluation.scoring import Scoring, Tensors, frame_level, score, shown_frames
from components.models.bundle import Predictions
from components.models.logits import decide

CLASSES = ("non_stalking", "stalking")


class Told:
    """A bundle whose probability of stalking is the clip's first number; each frame's is that frame's."""

    def __init__(self, threshold: float = 0.5, by_frame: bool = False) -> None:
        self.info = SimpleNamespace(classes=CLASSES, threshold=threshold)
        self.by_frame = by_frame

    def predict(self, frames, numbers, rows=None):
        numbers = numbers[rows]
        both = np.stack([1 - numbers[..., 0], numbers[..., 0]], axis=-1)
        clip = both.mean(axis=1)
        predicted = decide(clip, self.info.threshold)
        frames = both if self.by_frame else None
        return Predictions(predicted, clip, clip**2, frames)


def label(clip_id: str, name: str = "stalking", holdout: str = "test") -> Label:
    return Label(clip_id, name, (), f"film of {clip_id}", holdout, "")


def tensors(values: dict[str, list[float]]) -> Tensors:
    numbers = np.zeros((len(values), 2, 29))
    numbers[:, :, 0] = list(values.values())
    measured = np.zeros(numbers.shape, dtype=bool)
    measured[:, 0] = True
    return Tensors(list(values), None, numbers, measured)


def test_clips_are_joined_by_name_and_sorted():
    labels = {name: label(name) for name in ("c", "a", "b")} | {"d": label("d", holdout="")}
    found = score(Told(), tensors({"b": [0.8, 0.8], "d": [0, 0], "a": [0.1, 0.3]}), labels)
    assert found.clips.clip_ids.tolist() == ["a", "b"]
    assert found.clips.probabilities[:, 1] == pytest.approx([0.2, 0.8])
    assert found.clips.raw[:, 1] == pytest.approx([0.04, 0.64])
    assert found.clips.predicted.tolist() == [0, 1]
    assert found.clips.coverage.tolist() == [0.5, 0.5]
    assert found.clips.groups.tolist() == ["film of a", "film of b"]
    assert found.absent == ("c",)


def test_frames_are_items_with_their_clip_s_label_and_group():
    labels = {"a": label("a"), "b": label("b", "non_stalking"), "t": label("t", holdout="train")}
    given = tensors({"a": [0.9, 0.2], "b": [0.1, 0.6], "t": [0.5, 0.5]})
    found = frame_level(score(Told(by_frame=True), given, labels), "test")
    assert found.labels.tolist() == [1, 1, 0, 0]
    assert found.predicted.tolist() == [1, 0, 0, 1]
    assert found.groups.tolist() == ["film of a"] * 2 + ["film of b"] * 2
    assert frame_level(score(Told(), given, labels), "test") is None


@pytest.mark.parametrize(
    ("classes", "wanted"),
    [
        pytest.param(CLASSES, [0, 1, 1, 0, *[0] * 4, *[1] * 4], id="two classes: outside is the first"),
        pytest.param((*CLASSES, "fight"), [1, 1, *[0] * 4, *[1] * 4], id="three: outside is left out"),
    ],
)
def test_a_frame_outside_of_its_label_s_intervals(classes, wanted):
    labels = {
        "a": replace(label("a"), intervals=((1.0, 2.0), (2.5, 3.0))),
        "b": label("b", "non_stalking"),
        "c": label("c"),
    }
    times = np.array([[0.9, 1.0, 2.9, 3.0], [0, 1, 2, 3], [0, 1, 2, 3]])
    table = ClipPredictions(
        *(np.array(list("abc")), np.array(["test"] * 3), np.array(list("abc")), np.array([1, 0, 1])),
        *(np.array([1, 0, 1]), *[np.zeros((3, len(classes)))] * 2, np.ones(3), classes),
    )
    frames = np.zeros((3, 4, len(classes)))
    shown = shown_frames(times, list(labels.values()))
    found = frame_level(Scoring(table, frames, (), shown=shown), "test")
    assert found.labels.tolist() == wanted


def test_a_single_score_is_of_the_clip_and_of_no_frame():
    table = ClipPredictions(
        *(np.array(["a"]), np.array(["test"]), np.array(["a"]), np.array([1]), np.array([1])),
        *([np.full((1, 2), np.nan)] * 2 + [np.ones(1)]),
        classes=CLASSES,
        scores=np.ones(1),
    )
    shown = np.array([[False, True, False, False, False]])
    scoring = Scoring(table, None, (), np.array([[0.9]]), shown=shown)
    assert (scoring.said_of_frames(), frame_level(scoring, "test")) == (None, None)
    assert scoring.frame_labels().shape == (1, 0)


def test_scores_that_begin_later_are_of_the_last_frames():
    table = ClipPredictions(
        *(np.array(["a"]), np.array(["test"]), np.array(["a"]), np.array([1]), np.array([1])),
        *([np.full((1, 2), np.nan)] * 2 + [np.ones(1)]),
        classes=CLASSES,
        scores=np.ones(1),
    )
    shown = np.array([[True, False, True]])
    scoring = Scoring(table, None, (), np.array([[0.3, 0.6]]), shown=shown)
    assert scoring.frame_labels().tolist() == [[0, 1]]
    assert scoring.first_frame == 1


def test_a_view_without_numbers_lacks_none():
    assert Tensors(["a", "b"], np.zeros((2, 5, 8, 8, 3)), None, None).coverage().tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("probabilities", "threshold", "decided"),
    [
        pytest.param([[0.5, 0.5]], 0.5, [1], id="at the threshold"),
        pytest.param([[0.4, 0.6]], 0.7, [0], id="a threshold of its own"),
        pytest.param([[0.2, 0.5, 0.3]], 0.9, [1], id="three classes know no threshold"),
    ],
)
def test_decide(probabilities, threshold, decided):
    assert decide(np.array(probabilities), threshold).tolist() == decided


def test_no_common_clip():
    with pytest.raises(BadDataError, match="None of 1 labelled clips is among 1 tensors"):
        score(Told(), tensors({"b": [0, 0]}), {"a": label("a")})
