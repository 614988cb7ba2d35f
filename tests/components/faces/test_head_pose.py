"""Poses of the solver's own model, projected by plain trigonometry, must come back."""

from itertools import product
from typing import Literal

import numpy as np
import pytest

from components.faces.head_pose import MODELS, angles, camera_matrix, estimate, rotation
from components.faces.line_slope import PUBLISHED_MODEL
from components.faces.settings import HeadPoseSettings

WIDTH, HEIGHT = 1280, 720
EULER = HeadPoseSettings()
TURNS = (-60, -30, 0, 30, 60)


def seen_from_afar(model: np.ndarray, yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The model's points about the nose, 1.5 px a millimetre, rays parallel; axes x right, y down, z away."""
    y, p, r = np.radians([yaw, pitch, roll])
    points = []
    for x0, y0, z0 in model:
        y1, z1 = y0 * np.cos(p) + z0 * np.sin(p), -y0 * np.sin(p) + z0 * np.cos(p)
        x2 = x0 * np.cos(y) - z1 * np.sin(y)
        points.append((x2 * np.cos(r) - y1 * np.sin(r), x2 * np.sin(r) + y1 * np.cos(r)))
    return np.array(points) * 1.5


def seen_near(
    model: np.ndarray, yaw: float, pitch: float, roll: float, place: tuple[float, float, float]
) -> np.ndarray:
    """The model's points as the solver's own camera sees them; angles are from the line of sight."""
    x, y, z = place
    to_side, up = np.degrees(np.arctan2(x, z)), np.degrees(np.arctan2(-y, np.hypot(x, z)))
    matrix = rotation(-to_side, 0, 0) @ rotation(0, -up, 0) @ rotation(yaw, pitch, roll)
    seen = (model @ matrix.T + place) @ camera_matrix(WIDTH, HEIGHT).T
    return seen[:, :2] / seen[:, 2:]


@pytest.mark.parametrize("nose", [31, 34])
@pytest.mark.parametrize(("yaw", "pitch"), product(TURNS, TURNS))
def test_own_model_comes_back_within_a_tenth_of_a_degree(nose: int, yaw: int, pitch: int) -> None:
    for roll, place in product((-25, 0, 25), ((0, 0, 1500), (400, -150, 1200), (-200, 180, 700))):
        points = seen_near(MODELS[nose], yaw, pitch, roll, place)
        pose = estimate(points, WIDTH, HEIGHT, EULER, nose)
        assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((yaw, pitch, roll), abs=0.1)
        assert pose.reprojection_px < 0.01


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"),
    [
        pytest.param(30, 0, 0, id="to the picture's right"),
        pytest.param(-30, 0, 0, id="to its left"),
        pytest.param(0, 25, 0, id="up"),
        pytest.param(0, -25, 0, id="down"),
        pytest.param(0, 0, 20, id="tilted clockwise"),
        pytest.param(0, 0, -20, id="tilted the other way"),
        pytest.param(35, 20, -15, id="right, up, tilted"),
        pytest.param(-35, -20, 15, id="left, down, tilted"),
        pytest.param(35, -20, 15, id="right, down, tilted"),
        pytest.param(-35, 20, -15, id="left, up, tilted"),
    ],
)
def test_signs_by_plain_trigonometry(yaw: float, pitch: float, roll: float) -> None:
    points = seen_from_afar(MODELS[34], yaw, pitch, roll)
    width, height = WIDTH * 20, HEIGHT * 20  # a long lens: nearly parallel rays
    pose = estimate(points + np.array([width / 2, height / 2]), width, height, EULER)
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((yaw, pitch, roll), abs=1.5)


def test_nose_moves_to_where_the_face_turns() -> None:
    """Seen by eye: a turned head's nose leaves the middle of the eyes towards where it looks."""
    right = seen_from_afar(MODELS[31], 30, 0, 0)
    up = seen_from_afar(MODELS[31], 0, 20, 0)
    straight = seen_from_afar(MODELS[31], 0, 0, 0)
    assert right[0, 0] > right[2:4, 0].mean()
    assert up[0, 1] - up[2:4, 1].mean() < straight[0, 1] - straight[2:4, 1].mean()


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (59, -48, 30), (-80, 10, -170), (12, 85, 4)])
def test_angles_undo_rotation(yaw: float, pitch: float, roll: float) -> None:
    assert angles(rotation(yaw, pitch, roll)) == pytest.approx((yaw, pitch, roll), abs=1e-9)


def test_one_percent_of_noise_never_finds_the_mirror_image() -> None:
    rng = np.random.default_rng(7)
    errors = []
    for _ in range(150):
        yaw, pitch, roll = rng.uniform(-50, 50), rng.uniform(-35, 35), rng.uniform(-20, 20)
        points = seen_near(
            MODELS[34], yaw, pitch, roll, (rng.uniform(-400, 400), rng.uniform(-150, 150), 1300)
        )
        eyes = np.hypot(*(points[3] - points[2]))
        pose = estimate(points + rng.normal(0, 0.02 * eyes, points.shape), WIDTH, HEIGHT, EULER)
        errors.append(max(abs(pose.yaw - yaw), abs(pose.pitch - pitch)))
    assert max(errors) < 30
    assert np.mean(errors) < 5


def test_points_of_no_face_have_no_pose() -> None:
    points = np.array([(0, 0), (300, 5), (10, 290), (280, 280), (150, 150), (20, 100)], float)
    pose = estimate(points, WIDTH, HEIGHT, HeadPoseSettings(max_reprojection=0.05))
    assert np.isnan([pose.yaw, pose.pitch, pose.roll]).all()


@pytest.mark.parametrize("method", ["euler", "line_slope"])
@pytest.mark.parametrize("face_px", [0.001, 2, 8, 14, 20, 500])
def test_faces_of_any_size_are_answered(method: Literal["euler", "line_slope"], face_px: float) -> None:
    points = seen_from_afar(MODELS[34], 20, 10, 0)
    points = (points - points.mean(axis=0)) * face_px / 150 + (900, 400)
    pose = estimate(points, 1920, 1080, HeadPoseSettings(method=method))
    if method == "euler" and face_px > 1:
        assert (pose.yaw, pose.pitch) == pytest.approx((20, 10), abs=6)


def test_missing_points_have_no_pose() -> None:
    assert np.isnan(estimate(np.full((6, 2), np.nan), WIDTH, HEIGHT, EULER).yaw)


class TestLineSlope:
    def test_slopes_of_the_projected_lines(self) -> None:
        """A face that looks along a line that falls 30 degrees in the picture."""
        slope = estimate(self.published(20, -10), WIDTH, HEIGHT, HeadPoseSettings(method="line_slope"))
        assert -90 <= slope.pitch <= 90
        assert -90 <= slope.yaw <= 90
        assert slope.reprojection_px < 0.01

    def test_nose_ray_is_where_the_model_says(self) -> None:
        points = self.published(25, -25)
        turn = rotation(25, -25, 0)
        end = turn @ np.array([0, 0, -1000.0]) + (0, 0, 3000)
        nose_end = end[:2] / end[2] * WIDTH + (WIDTH / 2, HEIGHT / 2)
        rise, run = (nose_end - points[0])[::-1]
        pose = estimate(points, WIDTH, HEIGHT, HeadPoseSettings(method="line_slope"))
        assert pose.pitch == pytest.approx(np.degrees(np.arctan(rise / run)), abs=0.1)

    @staticmethod
    def published(yaw: float, pitch: float) -> np.ndarray:
        """The published model in our axes, three metres before the camera."""
        seen = (PUBLISHED_MODEL * (1, -1, -1)) @ rotation(yaw, pitch, 0).T + (0, 0, 3000)
        return seen[:, :2] / seen[:, 2:] * WIDTH + (WIDTH / 2, HEIGHT / 2)
