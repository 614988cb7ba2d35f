"""No segmentation: every pixel counts as a person's."""

import numpy as np

from components.segmentation.base import FrameSegmenter, SegmentSettings


class NoSegmenter(FrameSegmenter):
    """Masks that leave the frames as they are."""

    def __init__(self, _: SegmentSettings) -> None:
        pass

    @staticmethod
    def weights_digests(_: SegmentSettings) -> dict[str, str]:
        """No weights."""
        return {}

    def mask(self, frame: np.ndarray) -> np.ndarray:
        """All True (H, W)."""
        return np.ones(frame.shape[:2], bool)
