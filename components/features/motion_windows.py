"""Where in a clip things move: one window per clip, however its persons wander."""

import cv2
import numpy as np

Window = tuple[int, int, int, int]  # left, top, width, height in pixels

_BLUR_PX = 2.0  # takes compression noise away
_NOISE = 6.0  # grey values that a still scene changes by
_PEAK_PX = 28.0  # as wide as a person of the frame's size that is looked at
_NEAR_PX = 60.0  # how far from the peak motion still belongs to it
_SPREADS = 3.2  # a window's side in spreads of the motion about its peak
_SIDES_PX = (72, 200)


def motion_map(frames: np.ndarray) -> np.ndarray:
    """How much each pixel changes from frame to frame: (T, H, W, 3) uint8 RGB -> (H, W) float32, the mean."""
    grey = np.stack([_grey(frame) for frame in frames])
    if len(grey) < 2:
        return np.zeros(grey.shape[1:], np.float32)
    moved: np.ndarray = np.maximum(np.abs(np.diff(grey, axis=0)) - _NOISE, 0).mean(axis=0)
    return moved


def busiest_window(motion: np.ndarray, width: int, height: int) -> Window:
    """The window of this size with the largest sum of motion (H, W)."""
    sums = cv2.boxFilter(motion, -1, (width, height), normalize=False, borderType=cv2.BORDER_CONSTANT)
    rows, columns = motion.shape
    inside = sums[
        height // 2 : rows - height // 2 + 1,
        width // 2 : columns - width // 2 + 1,
    ]
    top, left = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(left), int(top), width, height


def peak_window(motion: np.ndarray, side: int | None = None) -> Window:
    """The square about the peak of motion (H, W).

    Args:
        side: pixels; None takes as much as the motion about the peak is spread.
    """
    rows, columns = motion.shape
    smooth = cv2.GaussianBlur(motion, (0, 0), _PEAK_PX, borderType=cv2.BORDER_CONSTANT)
    y, x = (int(place) for place in np.unravel_index(int(smooth.argmax()), smooth.shape))
    wanted = _spread_side(motion, y, x) if side is None else side
    left = int(np.clip(x - wanted // 2, 0, columns - wanted))
    top = int(np.clip(y - wanted // 2, 0, rows - wanted))
    return left, top, wanted, wanted


def _spread_side(motion: np.ndarray, y: int, x: int) -> int:
    rows, columns = np.mgrid[: motion.shape[0], : motion.shape[1]]
    squared = (rows - y) ** 2 + (columns - x) ** 2
    weights = motion * np.exp(-squared / (2 * _NEAR_PX**2)) + 1e-9
    spread = float(np.sqrt((weights * squared).sum() / weights.sum()))
    return int(np.clip(_SPREADS * spread, *_SIDES_PX))


def _grey(frame: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return cv2.GaussianBlur(grey, (0, 0), _BLUR_PX).astype(np.float32)
