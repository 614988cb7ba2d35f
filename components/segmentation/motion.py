"""Moving pixels before a fixed camera's background, learned over the whole clip.

Good for fixed cameras, useless where the camera moves. Two passes over the dense frames: the first learns the
background, the second compares with it, so the first frames of a clip are judged as well as the last.

Source: Zivkovic, van der Heijden, "Efficient adaptive density estimation per image pixel" (2006), as OpenCV's
BackgroundSubtractorKNN and BackgroundSubtractorMOG2. Ours: the passes, shadows and small blobs removed.
"""

from typing import Any

import cv2
import numpy as np

from components.core.errors import UsageError
from components.segmentation.base import MotionSettings, SegmentSettings
from components.video.clip_read import Frames

FOREGROUND = 255  # shadows are 127
FROZEN = 0.0
KNN_MEMORY = 21  # values of a pixel: three sets of seven
KNN_THRESHOLD = 400.0  # OpenCV's own
MOG2_THRESHOLD = 16.0
ROUNDS = 2
SEED = 27
OPEN_PX = 3


class MotionSegmenter:
    """Masks of what moves."""

    def __init__(self, settings: SegmentSettings) -> None:
        self._settings = settings.motion

    @staticmethod
    def weights_digests(_: SegmentSettings) -> dict[str, str]:
        """No weights."""
        return {}

    def masks(self, frames: np.ndarray, times_s: np.ndarray, dense: Frames | None) -> np.ndarray:
        """Masks (T, H, W), each of the dense frame nearest in time.

        Raises:
            UsageError: no dense frames were given.
        """
        if dense is None or not len(dense.pixels):
            raise UsageError(
                "The motion segmenter has no dense frames",
                wanted="segment.motion.sampling: the name of a dense sampling",
                remedy="name one in params.yaml, or choose another segment.backend",
            )
        model = learn_background(dense.pixels, self._settings)
        nearest = np.abs(dense.times_s[None, :] - times_s[:, None]).argmin(axis=1)
        masks = np.zeros(frames.shape[:3], bool)
        for k in np.unique(nearest):
            raw = model.apply(dense.pixels[k], learningRate=FROZEN)
            clean = _clean(raw, self._settings)
            masks[nearest == k] = cv2.resize(clean, frames.shape[2:0:-1], interpolation=cv2.INTER_NEAREST)
        return masks


def learn_background(pixels: np.ndarray, settings: MotionSettings) -> Any:
    """OpenCV's model of a film (T, H, W, 3) uint8, learned in shuffled order: the first frame is no better.

    The two methods' own randomness is seeded, so that the same film gives the same masks.
    """
    cv2.setRNGSeed(SEED)
    length = ROUNDS * len(pixels)
    if settings.method == "knn":
        model: Any = cv2.createBackgroundSubtractorKNN(length, settings.threshold or KNN_THRESHOLD, True)
        model.setkNNSamples(max(1, round(settings.max_stay * KNN_MEMORY)))
    else:
        model = cv2.createBackgroundSubtractorMOG2(length, settings.threshold or MOG2_THRESHOLD, True)
        model.setBackgroundRatio(1 - settings.max_stay)
    order = np.random.default_rng(SEED)
    for k in np.concatenate([order.permutation(len(pixels)) for _ in range(ROUNDS)]):
        model.apply(pixels[k])
    return model


def _clean(raw: np.ndarray, settings: MotionSettings) -> np.ndarray:
    """Foreground (H, W) uint8 0 or 1: no shadows, no specks, gaps closed, no small blobs."""
    moving = (raw == FOREGROUND).astype(np.uint8)
    moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, _disc(OPEN_PX))
    moving = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, _disc(round(settings.close_share * max(raw.shape))))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(moving)
    large = stats[:, cv2.CC_STAT_AREA] >= settings.min_blob_share * raw.size
    large[0] = False
    return large[labels].astype(np.uint8)


def _disc(diameter: int) -> np.ndarray:
    odd = diameter | 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (odd, odd))
