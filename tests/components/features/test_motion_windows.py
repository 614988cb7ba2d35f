"""Windows where the motion is, on films whose motion is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from components.features.motion_windows import busiest_window, motion_map, peak_window

SHAPE = (240, 320)


def film(x: int, y: int, side: int = 20, frames: int = 6) -> np.ndarray:
    """A bright square that jumps back and forth by a few pixels on a grey ground."""
    shown = np.full((frames, *SHAPE, 3), 90, np.uint8)
    for k in range(frames):
        left = x + 6 * (k % 2)
        shown[k, y : y + side, left : left + side] = 250
    return shown


def holds(window, x, y):
    left, top, width, height = window
    return left <= x < left + width and top <= y < top + height


@pytest.mark.parametrize(
    ("x", "y"), [(20, 20), (150, 110), (280, 200)], ids=["corner", "middle", "far corner"]
)
def test_every_window_holds_what_moves(x, y):
    motion = motion_map(film(x, y))
    for window in (
        busiest_window(motion, 144, 128),
        *(peak_window(motion, side) for side in (None, 128, 176)),
    ):
        assert holds(window, x + 10, y + 10)


def test_what_stands_still_is_not_motion():
    still = film(150, 110)[:1].repeat(5, axis=0)
    assert not motion_map(still).any()
    assert not motion_map(still[:1]).any()


def test_noise_is_not_motion():
    noisy = np.random.default_rng(1).normal(120, 4, (6, *SHAPE, 3)).clip(0, 255).astype(np.uint8)
    assert motion_map(noisy).mean() < 0.01


def test_the_window_is_as_wide_as_the_motion_is_spread():
    near, far = film(150, 110), np.maximum(film(110, 110), film(190, 110))
    sides = [peak_window(motion_map(shown))[2] for shown in (near, far)]
    assert sides[0] < sides[1]


@given(arrays.arrays(np.float32, SHAPE, elements=st.sampled_from([0.0, 1.0, 40.0])))
@settings(max_examples=20, deadline=None)
def test_windows_lie_within_the_frame(motion):
    windows = [busiest_window(motion, 144, 128), *(peak_window(motion, side) for side in (None, 128, 176))]
    for left, top, width, height in windows:
        assert 0 <= left <= SHAPE[1] - width
        assert 0 <= top <= SHAPE[0] - height
