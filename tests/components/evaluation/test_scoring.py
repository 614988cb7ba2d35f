"""Clips and frames of a model that answers what it is told."""

from types import SimpleNamespace

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.datasets.clips import Label
from components.evaluation.scoring import Tensors, decide, frame_level, score

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
        return SimpleNamespace(clip=clip, raw=clip**2, frames=both if self.by_frame else None)


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
