import numpy as np
import pytest

from components.faces.measure import Measured
from components.simulation.truth import Truth
from tests.accuracy.faces import SimulatedFace, found_faces, simulated_faces
from tests.accuracy.poses import pose_errors

MARK = {"faces": [[10, 10, 50, 60], [100, 10, 120, 34]], "unclear_faces": [[200, 10, 220, 30]]}
NONE = (np.nan,) * 4


@pytest.mark.parametrize(
    ("boxes", "wanted"),
    [
        pytest.param([(12, 20, 48, 58), (102, 14, 118, 32)], ((True,), (True,), 0), id="both"),
        pytest.param([(12, 20, 48, 58), NONE], ((True,), (False,), 0), id="the large one"),
        pytest.param([(26, 30, 34, 38), NONE], ((False,), (False,), 0), id="a speck on a face"),
        pytest.param([(201, 12, 218, 29), NONE], ((False,), (False,), 0), id="an unclear one"),
        pytest.param([(300, 20, 340, 60), NONE], ((False,), (False,), 1), id="none"),
    ],
)
def test_found_faces_against_marks(boxes, wanted):
    found = found_faces(np.array(boxes, np.float32), MARK)
    assert (found.large, found.small, found.false) == wanted


def _truth():
    """One frame of two still faces, 100 px high and 300 px apart, turned 10 and -20 degrees."""
    face = np.array([(0, 0), (0, 60), (-40, -40), (40, -40), (-20, 20), (20, 20), (0, -8)], float)
    points = np.stack([face + np.array((x, 200)) for x in (200, 500)])[None]
    return Truth(
        width_px=800,
        height_px=400,
        times_s=np.zeros(1),
        points_px=points,
        hidden=np.zeros((1, 2, 7), bool),
        pose_deg=np.array([[(10.0, 0.0, 0.0), (-20.0, 5.0, 0.0)]]),
        face_height_px=np.full((1, 2), 100.0),
        distance_px=np.array([300.0]),
        masks=np.zeros((1, 2, 200, 400), bool),
        label="talk",
        source="film-01",
        manner="talk",
    )


def _measured(noses, yaws):
    """Faces as in the truth but for their places (x, y) of the nose and their yaws, slot by slot."""
    measured = Measured(
        np.full((1, 29), np.nan),
        np.full((1, 2), ""),
        np.full((1, 2, 4), np.nan),
        np.full((1, 2, 6, 2), np.nan),
    )
    face = _truth().points_px[0, 0, :6] - (200, 200)
    for slot, (nose, yaw) in enumerate(zip(noses, yaws, strict=True)):
        measured.landmarks_px[0, slot] = face + nose
        measured.boxes[0, slot] = (*np.subtract(nose, 50), *np.add(nose, 50))
        measured.numbers[0, 24 + 2 * slot : 26 + 2 * slot] = yaw, 0
    if len(noses) == 2:
        measured.numbers[0, 28] = np.hypot(*np.subtract(*noses))
    return measured


def test_slots_are_told_apart_by_their_places():
    measured = _measured([(506, 200), (200, 200)], [-15, 12])
    (near, far), (apart,), false = simulated_faces(measured, np.array([0]), _truth())
    assert (near.yaw_error, near.points_error) == pytest.approx((2, 0))
    assert (far.yaw_error, far.pitch_error, far.points_error) == pytest.approx((5, -5, 6 / 80))
    assert (apart.error, apart.heights) == pytest.approx((6 / 300, 3))
    assert false == 0


def test_a_face_elsewhere_is_nobodys():
    measured = _measured([(200, 200), (350, 60)], [10, 0])
    (near, far), apart, false = simulated_faces(measured, np.array([0]), _truth())
    assert near.is_found
    assert not far.is_found
    assert apart == []
    assert false == 1


def test_a_constant_is_taken_off_each_person():
    wrong = [("a", 8.0), ("a", 6.0), ("b", -2.0), ("b", -40.0)]
    errors = pose_errors(
        [SimulatedFace((name, 0), 100, 0, 0, error, 0.0, 0.05, np.zeros((6, 2))) for name, error in wrong]
    )
    assert (errors.yaw, errors.yaw_less_constant) == pytest.approx((14, 10))
    assert (errors.largest, errors.far_wrong, errors.count) == (40, 1, 4)
