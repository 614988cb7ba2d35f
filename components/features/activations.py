"""How much the activations of pose networks change over time, where the clip moves.

A network that was trained to find bodies sees in every frame what bodies do; how fast that changes tells a
fight from a walk, and what does not change, such as the scene, drops out. Frames are laid to one size,
whatever their own, because a data set's sizes may tell its labels.

Source: ours (docs/decisions/0011). The networks are MediaPipe's, Apache-2.0.
"""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np

from components.core.errors import BadDataError
from components.core.litert import Probe
from components.core.weights import WEIGHTS
from components.features.activation_layout import LAGS, LOOKS, Look
from components.features.motion_windows import Window, busiest_window, motion_map, peak_window

WIDTH, HEIGHT = 320, 240
LEAST_CHANGE = 1e-3
_MODEL = "model_1/model/"


_WINDOWS: dict[str, Callable[[np.ndarray], Window]] = {
    "whole": lambda _: (0, 0, WIDTH, HEIGHT),
    "busiest": lambda motion: busiest_window(motion, 144, 128),
    "peak": peak_window,
    "peak_128": lambda motion: peak_window(motion, 128),
    "peak_176": lambda motion: peak_window(motion, 176),
}


def activation_changes(frames: np.ndarray) -> np.ndarray:
    """What a clip's frames give, look after look and window after window.

    Args:
        frames: (T, H, W, 3) uint8 RGB, ten a second; at least one more than the largest lag.

    Returns:
        (NUMBERS,) float32, the logarithm of the mean absolute change over each lag.

    Raises:
        BadDataError: too few frames to change.
    """
    if len(frames) <= max(LAGS):
        raise BadDataError(
            f"{len(frames)} frames to follow motion in",
            wanted=f"more than {max(LAGS)}, ten a second",
            remedy="leave so short clips out, or give the model a denser sampling",
        )
    small = np.stack([cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for frame in frames])
    motion = motion_map(small)
    windows = {name: _WINDOWS[name](motion) for look in LOOKS for name in look.windows}
    vectors = (_changes(look, small, windows[name]) for look in LOOKS for name in look.windows)
    return np.concatenate(list(vectors)).astype(np.float32)


def multiply_adds(frames: int) -> int:
    """Products with kernels for a clip of so many frames."""
    return sum(frames * look.rows * _probe(look).multiply_adds() for look in LOOKS)


def weights_digests() -> dict[str, str]:
    """SHA-256 of the networks, by name."""
    return {look.network: WEIGHTS[look.network].sha256 for look in LOOKS}


def _changes(look: Look, frames: np.ndarray, window: Window) -> np.ndarray:
    """(width,) of one window: (T, channels) means over space -> log mean |change|, lag after lag."""
    left, top, width, height = window
    probe = _probe(look)
    seen = []
    for frame in frames[:, top : top + height, left : left + width]:
        pixels = cv2.resize(frame, (probe.width, probe.height), interpolation=cv2.INTER_LINEAR)
        values = pixels.astype(np.float32) / 255 * (look.high - look.low) + look.low
        layers = probe.run(values[None])
        seen.append(np.concatenate([layer[0].mean(axis=(0, 1)) for layer in layers]))
    means = np.stack(seen)
    return np.concatenate(
        [np.log(np.abs(means[lag:] - means[:-lag]).mean(axis=0) + LEAST_CHANGE) for lag in LAGS]
    )


@cache
def _probe(look: Look) -> Probe:
    return Probe(look.network, tuple(_MODEL + layer for layer in look.layers))
