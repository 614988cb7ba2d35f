"""Signs and angles of a head's turn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.simulation.pose import rotation

angle = st.floats(-80, 80)


@pytest.mark.parametrize(
    ("pose", "axis", "towards"),
    [
        pytest.param(
            (30, 0, 0), (0, 0, 1), (0.5, 0, np.sqrt(0.75)), id="yaw turns the nose to the image's right"
        ),
        pytest.param((0, 30, 0), (0, 0, 1), (0, -0.5, np.sqrt(0.75)), id="pitch lifts the nose"),
        pytest.param((0, 0, 30), (0, -1, 0), (0.5, -np.sqrt(0.75), 0), id="roll tips the crown clockwise"),
        pytest.param((0, 0, 0), (0.2, 0.3, 0.4), (0.2, 0.3, 0.4), id="none"),
    ],
)
def test_signs(pose: tuple[float, ...], axis: tuple[float, ...], towards: tuple[float, ...]) -> None:
    np.testing.assert_allclose(rotation(*pose) @ axis, towards, atol=1e-12)


@given(angle, angle)
def test_without_roll_yaw_and_pitch_are_azimuth_and_elevation_of_the_face(yaw: float, pitch: float) -> None:
    x, y, z = rotation(yaw, pitch, 0.0)[:, 2]
    assert np.degrees(np.arctan2(x, z)) == pytest.approx(yaw, abs=1e-6)
    assert np.degrees(np.arcsin(-y)) == pytest.approx(pitch, abs=1e-6)


@given(angle, angle, angle)
def test_is_a_rotation(yaw: float, pitch: float, roll: float) -> None:
    matrix = rotation(yaw, pitch, roll)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)
