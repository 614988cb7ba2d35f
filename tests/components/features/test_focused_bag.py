"""The frames that hold a clip's main motion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.errors import BadDataError, UsageError
from components.features.focused_bag import Focus, focused_bag, motion_energy


def film(brightness):
    """Frames of one colour each."""
    levels = np.asarray(brightness, np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (len(levels), 4, 4, 3))


def flickering(total, *spans):
    """Dark, but for frames that flicker by as much as their span says: (start, end, brightness)."""
    levels = np.zeros(total, np.uint8)
    for start, end, brightness in spans:
        levels[start:end:2] = brightness
    return film(levels)


def test_energy_is_the_change_of_grey():
    assert motion_energy(film([10, 10, 60, 0])).tolist() == [0, 0, 16 * 50, 16 * 60]
    red = np.zeros((2, 1, 1, 3), np.uint8)
    red[1, 0, 0, 0] = 200
    assert motion_energy(red).tolist() == [0, 77 * 200 // 256]


@pytest.mark.parametrize(
    ("frames", "focus", "kept", "indices"),
    [
        pytest.param(
            flickering(64, (16, 32, 200)), Focus(4, 16, 0.8), 16, [18, 22, 26, 30], id="the moving block"
        ),
        pytest.param(
            flickering(64, (0, 16, 100), (48, 64, 100)),
            Focus(4, 16, 0.9),
            32,
            [4, 12, 52, 60],
            id="both moving blocks, in the order of time",
        ),
        pytest.param(
            flickering(64, (0, 16, 20), (48, 64, 200)), Focus(2, 16, 0.8), 16, [52, 60], id="the main one"
        ),
        pytest.param(
            flickering(64, (0, 16, 20), (48, 64, 200)), Focus(2, 16, 1.0), 32, [8, 56], id="all motion"
        ),
        pytest.param(
            flickering(64, (16, 32, 200)),
            Focus(20, 16, 0.8),
            32,
            [(2 * k + 1) * 32 // 40 for k in range(20)],
            id="enough for those chosen",
        ),
        pytest.param(flickering(40), Focus(4, 16, 0.8), 40, [5, 15, 25, 35], id="no motion at all"),
        pytest.param(film([0, 9, 3]), Focus(5, 16, 0.8), 3, [0, 1, 2, 2, 2], id="fewer than wanted"),
        pytest.param(film([7]), Focus(3), 1, [0, 0, 0], id="a single frame"),
        pytest.param(
            flickering(35, (33, 35, 90)), Focus(2, 16, 0.8), 3, [32, 34], id="a short block at the end"
        ),
    ],
)
def test_what_is_chosen(frames, focus, kept, indices):
    bag = focused_bag(frames, focus)
    assert (bag.indices.tolist(), bag.indices.dtype, bag.kept) == (indices, np.int64, kept)


def test_a_clip_without_frames_is_refused():
    with pytest.raises(BadDataError, match="no frames"):
        focused_bag(np.zeros((0, 4, 4, 3), np.uint8), Focus())


@pytest.mark.parametrize(
    "given_", [{"frames": 0}, {"block": 0}, {"coverage": 0.0}, {"coverage": 1.1}, {"coverage": float("nan")}]
)
def test_a_focus_that_means_nothing_is_refused(given_):
    with pytest.raises(UsageError, match="focus"):
        Focus(**given_)


@given(
    levels=st.lists(st.integers(0, 255), min_size=1, max_size=60),
    focus=st.builds(Focus, st.integers(1, 25), st.integers(1, 20), st.floats(0.01, 1.0)),
)
@settings(deadline=None, max_examples=200)
def test_what_holds_of_every_bag(levels, focus):
    frames = film(levels)
    found = focused_bag(frames, focus)
    bag = found.indices
    assert bag.shape == (focus.frames,)
    assert (np.diff(bag) >= 0).all()
    assert 0 <= bag.min() <= bag.max() < len(levels)
    assert min(focus.frames, len(levels)) <= found.kept <= len(levels)
    if len(levels) >= focus.frames:
        assert len(set(bag.tolist())) == focus.frames
    mirrored = focused_bag(frames[:, ::-1], focus)
    assert mirrored.indices.tolist() == bag.tolist()
