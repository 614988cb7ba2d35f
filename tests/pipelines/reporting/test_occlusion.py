"""report: where a model looks, of one that looks at the top left corner alone."""

from types import SimpleNamespace

import numpy as np
import pytest

from components.core.errors import ResourceError
from components.evaluation.scoring import Tensors
from pipelines.reporting import occlusion as report_occlusion
from pipelines.reporting.explained import Explained, Models
from pipelines.reporting.occlusion import occlusion_of, occlusion_section, wanted_clips
from tests.pipelines.explained import compared, comparison, explained_project, predictions

SHARES = np.array([0.1, 0.8, 0.6, 0.7, 0.7, 0.9])  # of clips 0 to 4 on test, 2 and 4 are wrong


class CornerBundle:
    """Says `following` as surely as the corner is bright."""

    definition = SimpleNamespace(streams=("frames", "numbers"))

    def __init__(self):
        self.numbers = []

    def predict(self, frames, numbers, activations=None):
        assert activations is None
        assert len(numbers) == len(frames)
        self.numbers.append(numbers)
        share = frames[:, :, :2, :2].mean(axis=(1, 2, 3, 4)) / 256
        return SimpleNamespace(raw=np.stack([1 - share, share], axis=1), scores=None)


def corner_model(affordable: int = 500) -> Explained:
    clips = predictions(SHARES)
    frames = np.full((6, 2, 16, 16, 3), 230, np.uint8)
    numbers = np.arange(6.0)[:, None, None].repeat(2, 1).repeat(29, 2)
    tensors = Tensors(clips.clip_ids.tolist(), frames, numbers, None)
    model = Explained(CornerBundle(), tensors, clips, 0.5)
    model.__dict__["affordable"] = affordable
    return model


def test_the_heat_is_in_the_corner():
    model = corner_model()
    found = occlusion_of(model, row=1, place=1, cells=8)
    assert all((numbers == 1).all() for numbers in model.bundle.numbers), "its own numbers stay"
    assert np.unravel_index(found.drops.argmax(), (8, 8)) == (0, 0)
    assert not found.drops[2:].any()
    assert not found.drops[:, 2:].any()


def test_of_the_other_class_the_corner_speaks_against():
    assert occlusion_of(corner_model(), row=1, place=0, cells=8).drops[0, 0] < 0


@pytest.mark.parametrize(
    ("shares", "wanted"),
    [
        pytest.param(SHARES, {"right": 1, "wrong": 4}, id="both"),
        pytest.param([0.1, 0.8, 0.2, 0.7, 0.2, 0.9], {"right": 1}, id="no error"),
        pytest.param([0.1, 0.2, 0.2, 0.7, 0.2, 0.9], {"wrong": 1}, id="no positive one is right"),
    ],
)
def test_two_clips_are_looked_at(shares, wanted):
    test = predictions(np.array(shares)).of_split("test")
    names = {kind: test.clip_ids[place] for kind, place in wanted_clips(test, 0.5).items()}
    assert names == {kind: f"clip{k:02d}" for kind, k in wanted.items()}


@pytest.mark.parametrize(
    ("affordable", "share"),
    [pytest.param(100, 0.25, id="fine"), pytest.param(99, 0.5, id="coarse")],
)
def test_the_map_is_as_fine_as_can_be_afforded(monkeypatch, affordable, share):
    def save(_project, clip_id):
        return f"pictures/{clip_id}.jpg", (320, 180)

    model = corner_model(affordable)
    monkeypatch.setattr(report_occlusion, "save_middle_frame", save)
    found = report_occlusion._explained(None, model)
    assert found["share"] == share
    assert [(row["kind"], row["clip_id"]) for row in found["clips"]] == [
        ("right", "clip01"),
        ("wrong", "clip04"),
    ]
    assert all(row["most"] > 0 and 'class="for"' in row["heat"] for row in found["clips"])
    with pytest.raises(ResourceError, match="needs 20 answers, and 19 are within"):
        report_occlusion._explained(None, corner_model(19))


def test_a_model_that_cannot_be_opened_says_why(tmp_path):
    models = explained_project(tmp_path)
    rows = [compared("fusion", 0.5)]
    found = occlusion_section(Models(models.project, comparison(models=rows)))
    assert found == {"model": "fusion", "why_not": "there is no bundle in outs/train", "challenger": False}


def test_without_a_model_of_frames_there_is_nothing(tmp_path):
    assert occlusion_section(explained_project(tmp_path)) is None
