import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest

spec = importlib.util.spec_from_file_location("accuracy_masks", Path(__file__).with_name("masks.py"))
accuracy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(accuracy)


def _mask(*columns):
    mask = np.zeros((1, 4, 10), bool)
    mask[:, :, list(columns)] = True
    return mask


@pytest.mark.parametrize(
    ("found", "true", "wanted"),
    [
        pytest.param(_mask(0, 1), _mask(0, 1), (1, 1, 1), id="equal"),
        pytest.param(_mask(0, 1, 2, 3), _mask(2, 3, 4, 5), (2 / 6, 0.5, 0.5), id="half"),
        pytest.param(_mask(), _mask(1), (0, 0, math.nan), id="nothing found"),
        pytest.param(_mask(1), _mask(), (0, math.nan, 0), id="nothing there"),
    ],
)
def test_scores_of_pixels(found, true, wanted):
    scores = accuracy.mask_scores(found, true)
    np.testing.assert_allclose((scores.iou, scores.recall, scores.precision), wanted)


def test_boxes_are_end_exclusive():
    mask = _mask(2, 3, 9)[0]
    assert accuracy.covered(mask, [(2, 0, 4, 4), (0, 0, 4, 2)]) == [1.0, 0.5]
    assert accuracy.outside(mask, [(2, 0, 4, 4)]) == pytest.approx(0.1)


def test_points_are_x_and_y():
    assert accuracy.points_covered(
        _mask(2, 3)[0], np.array([[2.4, 0.0], [3.0, 3.0], [5.0, 1.0]])
    ) == pytest.approx(2 / 3)


def test_crowds_are_neither_hit_nor_miss():
    marks = [
        {"persons": [{"box": [0, 0, 2, 4], "distance": "near", "crowd": True}], "faces": [[4, 0, 5, 4]]},
        {"persons": [], "faces": []},
    ]
    row = accuracy.box_table(marks, [_mask(0, 1, 4)[0], _mask(9)[0]])
    assert row["near"] == "-"
    assert row["face"] == "1.00, 1 of 1"
    assert row["outside"] == "0.100, at most 0.10"
    assert row["empty"] == "0.100, at most 0.10"


def test_the_default_keeps_nearly_all_marked_faces_of_people(shared_data, project_root):
    marks = json.loads((project_root / "tests/data/real_frames.json").read_text())["frames"]
    people = [mark for mark in marks if "two-people" in mark["clip"]]
    clips = {
        mark["clip"]: accuracy.read_clip(shared_data / mark["clip"], accuracy.SAMPLINGS).frames
        for mark in people
    }
    masks, _ = accuracy._masks(accuracy.SegmentSettings(), clips, people)
    shares = [
        share
        for mark, mask in zip(people, masks, strict=True)
        for share in accuracy.covered(mask, mark["faces"])
    ]
    assert len(shares) >= 19
    assert min(shares) > accuracy.WHOLE
    assert (
        max(
            accuracy.outside(m, [p["box"] for p in mark["persons"]])
            for mark, m in zip(people, masks, strict=True)
        )
        < 0.02
    )
