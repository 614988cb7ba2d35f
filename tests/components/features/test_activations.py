"""Change of activations: laid out as said, nothing in a still clip, equal to a plain computation."""

import cv2
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from components.core.errors import BadDataError
from components.core.litert import Probe
from components.core.weights import locate
from components.features.activation_layout import LAGS, LOOKS, NUMBERS, blocks
from components.features.activations import activation_changes
from components.features.motion_windows import motion_map, peak_window

# The layers of pose_detection by their place in the file whose digest is known.
PLACES = (209, 215, 292, 303, 313)


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(5)
    shown = rng.integers(0, 80, (1, 120, 160, 3)).repeat(8, axis=0)
    for k in range(8):
        shown[k, 40:80, 50 + 4 * k : 80 + 4 * k] = 220
    return shown.astype(np.uint8)


@pytest.fixture(scope="module")
def changes(frames):
    return activation_changes(frames)


def test_they_are_as_many_as_said(changes):
    assert changes.shape == (NUMBERS,)
    assert changes.dtype == np.float32
    assert np.isfinite(changes).all()


def test_blocks_are_the_looks_in_their_order(changes):
    found = list(blocks(changes[None]))
    assert [block.shape for block in found] == [(1, look.rows, look.width) for look in LOOKS]
    np.testing.assert_array_equal(np.concatenate([block.ravel() for block in found]), changes)


def test_a_still_clip_changes_nothing(frames):
    still = activation_changes(frames[:1].repeat(7, axis=0))
    np.testing.assert_allclose(still, np.log(1e-3), rtol=1e-6)


def test_one_window_against_a_plain_computation(frames, changes):
    small = np.stack([cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA) for frame in frames])
    left, top, side, _ = peak_window(motion_map(small), 176)
    network = Interpreter(
        str(locate("pose_detection")), num_threads=1, experimental_preserve_all_tensors=True
    )
    network.allocate_tensors()
    means = []
    for frame in small:
        pixels = cv2.resize(frame[top : top + side, left : left + side], (224, 224))
        network.set_tensor(
            network.get_input_details()[0]["index"], (pixels / 127.5 - 1)[None].astype(np.float32)
        )
        network.invoke()
        means.append(np.concatenate([network.get_tensor(place).mean(axis=(0, 1, 2)) for place in PLACES]))
    means = np.array(means)
    expected = [np.log(np.abs(means[lag:] - means[:-lag]).mean(axis=0) + 1e-3) for lag in LAGS]
    *_, block = blocks(changes[None])
    np.testing.assert_allclose(block[0, -1], np.concatenate(expected), atol=2e-3)


def test_too_few_frames_are_refused(frames):
    with pytest.raises(BadDataError, match="5 frames to follow motion in"):
        activation_changes(frames[:5])


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(BadDataError, match="no layer nowhere"):
        Probe("pose_detection", ("nowhere",))
