"""dlib's frontal face detector, the one of paper 000: histograms of oriented gradients, a linear classifier.

Source: Dalal and Triggs (2005); King, "Dlib-ml" (2009).
"""

from typing import Any

import numpy as np

from components.faces.boxes import Box, clipped, moved
from components.faces.face import Face
from components.faces.settings import FeaturizeSettings


class DlibHog:
    """Finds upright faces up to about 40 degrees from frontal, 80 pixels and larger without upsampling."""

    def __init__(self, settings: FeaturizeSettings) -> None:
        import dlib

        self._settings = settings.dlib
        self._detector = dlib.get_frontal_face_detector()

    @staticmethod
    def weights_digests(_: FeaturizeSettings) -> dict[str, str]:
        """None: the detector is part of dlib itself."""
        return {}

    def detect(self, frame: np.ndarray) -> list[Face]:
        """Faces in a frame (H, W, 3) uint8 RGB, the surest first."""
        return self._run(frame, self._settings.upsample)

    def glance(self, frame: np.ndarray) -> list[Face]:
        """The same: one look is all there is."""
        return self.detect(frame)

    def detect_near(self, frame: np.ndarray, region: Box, expected: bool = False) -> list[Face]:  # noqa: ARG002
        """Faces in one region of a frame, doubled once more in size than a whole frame is."""
        tile = clipped(region, frame.shape[1], frame.shape[0])
        if tile is None:
            return []
        left, top, right, bottom = tile
        faces = self._run(frame[top:bottom, left:right], self._settings.upsample + 1)
        return [Face(moved(face.box, left, top), face.score) for face in faces]

    def _run(self, picture: np.ndarray, upsample: int) -> list[Face]:
        boxes, scores, _ = self._detector.run(
            np.ascontiguousarray(picture), upsample, self._settings.min_score
        )
        return [Face(_box(found), float(score)) for found, score in zip(boxes, scores, strict=True)]


def _box(rectangle: Any) -> Box:
    """Dlib's rectangles include their last pixel."""
    return float(rectangle.left()), float(rectangle.top()), rectangle.right() + 1.0, rectangle.bottom() + 1.0
