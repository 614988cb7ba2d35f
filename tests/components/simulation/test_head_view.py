"""A drawn head against the photograph it was made of, and its points against plain trigonometry."""

import math

import cv2
import numpy as np
import pytest

from components.simulation.head import Head, make_head
from components.simulation.head_view import PIVOT, draw_head, project
from components.simulation.photographs import PHOTOGRAPHS, POINT_NAMES, read_picture
from components.simulation.pose import rotation
from components.simulation.surface import Build

DARK = np.zeros(3)
NOSE, LEFT_EYE, RIGHT_EYE = 0, 2, 3
TIP = POINT_NAMES.index("nose_tip")


@pytest.fixture(scope="module", params=list(PHOTOGRAPHS))
def head(request: pytest.FixtureRequest) -> Head:
    photograph = PHOTOGRAPHS[request.param]
    return make_head(photograph, read_picture(photograph.package, photograph.file), Build())


def by_hand(point: np.ndarray, yaw: float, scale: float, at: tuple[float, float]) -> tuple[float, float]:
    """Where a point falls after a turn about the vertical, without matrices."""
    x, y, z = point - PIVOT
    radius, angle = math.hypot(x, z), math.atan2(x, z)
    return at[0] + scale * radius * math.sin(angle + math.radians(yaw)), at[1] + scale * y


@pytest.mark.parametrize("yaw", [-40.0, -10.0, 0.0, 25.0, 45.0])
def test_points_fall_where_trigonometry_puts_them(head: Head, yaw: float) -> None:
    seen = project(head, rotation(yaw, 0, 0) @ head.own_pose, 120.0, (200.0, 150.0))
    wanted = [by_hand(point, yaw, 120.0, (200.0, 150.0)) for point in head.points]
    np.testing.assert_allclose(seen[:, :2], wanted, atol=1e-9)


@pytest.mark.parametrize(("yaw", "sign"), [pytest.param(30, 1, id="right"), pytest.param(-30, -1, id="left")])
def test_turning_moves_the_nose_tip_past_the_middle_of_the_eyes(head: Head, yaw: float, sign: int) -> None:
    points = project(head, rotation(yaw, 0, 0), 120.0, (0.0, 0.0))
    assert sign * (points[TIP, 0] - (points[LEFT_EYE, 0] + points[RIGHT_EYE, 0]) / 2) > 10


def test_looking_up_lifts_the_nose_tip_towards_the_eyes(head: Head) -> None:
    straight, up = (project(head, rotation(0, pitch, 0), 120.0, (0.0, 0.0)) for pitch in (0, 20))
    gap = [points[TIP, 1] - (points[LEFT_EYE, 1] + points[RIGHT_EYE, 1]) / 2 for points in (straight, up)]
    assert gap[1] < gap[0] - 5


def test_unturned_the_points_are_the_marks_and_the_picture_is_the_photograph(head: Head) -> None:
    photograph, scale, at = head.photograph, head.photograph.face_height_px, (300.25, 300.75)
    view = draw_head(head, head.own_pose, scale, at, DARK)
    shift = np.array(at) - PIVOT[:2] * scale - photograph.centre_px
    np.testing.assert_allclose(view.points_px, photograph.points_px + shift, atol=1e-6)

    marks = view.points_px
    left, right = int(marks[:, 0].min()), int(marks[:, 0].max())
    top, bottom = int(marks[LEFT_EYE, 1]) - 8, int(marks[4, 1]) + 10
    drawn = view.colour[top - view.top_px : bottom - view.top_px, left - view.left_px : right - view.left_px]
    pixels = read_picture(photograph.package, photograph.file)
    move = np.array([[1, 0, left - shift[0]], [0, 1, top - shift[1]]])
    size = (right - left, bottom - top)
    wanted = cv2.warpAffine(pixels, move, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    grey = [
        cv2.cvtColor(part.astype(np.uint8), cv2.COLOR_RGB2GRAY).astype(np.float32) for part in (drawn, wanted)
    ]
    offset, _ = cv2.phaseCorrelate(*grey, cv2.createHanningWindow(size, cv2.CV_32F))
    assert math.hypot(*offset) < 0.5
    assert np.abs(grey[0] - grey[1]).mean() < 12


@pytest.mark.parametrize("yaw", [-35, 0, 35])
def test_the_drawn_head_lies_under_its_points(head: Head, yaw: float) -> None:
    view = draw_head(head, rotation(yaw, 5, 3), 100.0, (50.0, 60.0), DARK)
    columns, rows = np.round(view.points_px - (view.left_px, view.top_px)).astype(int).T
    inside = cv2.dilate(view.alpha, np.ones((5, 5)))
    assert (inside[rows, columns] > 0.5).all()
    assert 0.4 * 100 * 100 < (view.alpha > 0.5).sum() < 3.5 * 100 * 100


def test_a_far_turn_hides_the_far_eye_and_a_straight_face_hides_nothing(head: Head) -> None:
    assert not draw_head(head, rotation(0, 0, 0), 100.0, (0.0, 0.0), DARK).hidden.any()
    turned = draw_head(head, rotation(70, 0, 0), 100.0, (0.0, 0.0), DARK).hidden
    assert turned[RIGHT_EYE]
    assert not turned[LEFT_EYE]


def test_proportions_differ_between_builds_and_from_the_published_solver_model(head: Head) -> None:
    other = make_head(
        head.photograph, np.zeros((600, 512, 3), np.uint8), Build(depth=1.08, nose=1.15, narrow=0.92)
    )
    assert np.abs(other.points - head.points).max() > 0.03
    solver = np.array(
        [(0, 0, 0), (0, 330, -65), (-225, -170, -135), (225, -170, -135), (-150, 150, -125), (150, 150, -125)]
    )
    assert _misfit(head.points[[TIP, 1, 2, 3, 4, 5]], solver.astype(float)) > 0.03


def _misfit(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest distance left after the best shift, turn and scale, as a share of the width of the eyes."""
    a, b = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
    u, s, vt = np.linalg.svd(b.T @ a)
    fitted = b @ (u @ vt) * (s.sum() / (b**2).sum())
    return float(np.linalg.norm(a - fitted, axis=1).max() / np.linalg.norm(ours[2] - ours[3]))
