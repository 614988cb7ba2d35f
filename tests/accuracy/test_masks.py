import math

import numpy as np
import pytest

from tests.accuracy import marks, masks


def _mask(*columns):
    mask = np.zeros((1, 4, 10), bool)
    mask[:, :, list(columns)] = True
    return mask


def _mark(*persons, faces=()):
    return {"width": 10, "height": 4, "persons": list(persons), "faces": list(faces)}


NEAR = {"box": [0, 0, 4, 4], "distance": "near"}
OUTLINED = {**NEAR, "outline": [[[1, 0], [3, 0], [3, 4], [1, 4]]]}
FAR = {"box": [6, 0, 8, 4], "distance": "far"}


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
    scores = masks.mask_scores(found, true)
    np.testing.assert_allclose((scores.iou, scores.recall, scores.precision), wanted)


def test_boxes_are_end_exclusive():
    mask = _mask(2, 3, 9)[0]
    assert masks.covered(mask, [(2, 0, 4, 4), (0, 0, 4, 2)]) == (1.0, 0.5)
    assert masks.outside(mask, [(2, 0, 4, 4)]) == pytest.approx(0.1)


def test_points_are_x_and_y():
    assert masks.points_covered(_mask(2, 3)[0], np.array([[2.4, 0.0], [3.0, 3.0], [5.0, 1.0]])) == (
        pytest.approx(2 / 3)
    )


def test_crowds_are_neither_hit_nor_miss():
    crowd = {"box": [0, 0, 2, 4], "distance": "near", "crowd": True}
    scores = masks.frame_scores(_mask(0, 1, 4)[0], _mark(crowd, faces=[[4, 0, 5, 4]]))
    assert (scores.near, scores.faces, scores.empty) == ((), (1.0,), None)
    assert scores.outside == pytest.approx(0.1)


def test_a_frame_without_persons_should_have_no_mask():
    assert masks.frame_scores(_mask(9)[0], _mark()).empty == pytest.approx(0.1)


def test_an_outline_holds_the_pixels_whose_centres_it_holds():
    (drawn,) = marks.outlines(_mark(OUTLINED))
    np.testing.assert_array_equal(drawn, _mask(1, 2)[0])


def test_pixels_of_persons_without_outline_count_neither_way():
    scores = masks.frame_scores(_mask(2, 5, 6)[0], _mark(OUTLINED, FAR))
    assert scores.outlined == masks.MaskScores(iou=1 / 3, recall=0.5, precision=0.5)
    assert scores.persons == (0.5,)
    assert (scores.near, scores.far) == ((0.25,), (0.5,))


def test_every_near_person_of_an_outlined_frame_has_an_outline():
    for mark in marks.read_marks():
        near = [p for p in mark["persons"] if p["distance"] == "near" and not p.get("crowd")]
        outlined = [person for person in mark["persons"] if "outline" in person]
        assert not outlined or outlined == near
        for person, drawn in zip(outlined, marks.outlines(mark), strict=True):
            rows, columns = np.nonzero(drawn)
            drawn_box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            assert np.abs(np.subtract(drawn_box, person["box"])).max() <= 0.02 * mark["width"]


def test_no_source_is_on_both_sides(shared_data):
    from components.core.tables import read_csv

    rows = read_csv(shared_data / "surveillance-fights/clips.csv", ("clip", "source"))
    sources = {f"surveillance-fights/{row['clip']}": row["source"] for row in rows}
    sides = {}
    for mark in marks.read_marks():
        sides.setdefault(sources.get(mark["clip"], mark["clip"]), set()).add(mark["use"])
    assert all(len(uses) == 1 for uses in sides.values())
