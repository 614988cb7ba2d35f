"""dlib's 68-point predictor, the one of paper 000.

Source: Kazemi and Sullivan, "One Millisecond Face Alignment with an Ensemble of Regression Trees" (2014).
The installed predictor was trained on iBUG 300-W, whose licence excludes commercial use; another one with the
same 68 points can be named.
"""

from pathlib import Path

import numpy as np

from components.core.weights import WEIGHTS, check_sha256, locate
from components.faces.boxes import Box
from components.faces.settings import FeaturizeSettings

WEIGHTS_NAME = "dlib_68_landmarks"
CHIN_EYES_MOUTH_1BASED = (9, 37, 46, 49, 55)


class Dlib68:
    """Finds the six points of a face in any detector's box; it cannot tell whether there is a face."""

    def __init__(self, settings: FeaturizeSettings) -> None:
        import dlib

        self._six = [index - 1 for index in (settings.nose_index_1based, *CHIN_EYES_MOUTH_1BASED)]
        self._predictor = dlib.shape_predictor(str(_weights_path(settings)))

    @staticmethod
    def weights_digests(settings: FeaturizeSettings) -> dict[str, str]:
        """The predictor's digest."""
        return {WEIGHTS_NAME: settings.dlib.predictor_sha256 or WEIGHTS[WEIGHTS_NAME].sha256}

    def landmarks_px(self, frame: np.ndarray, box: Box) -> np.ndarray | None:
        """(6, 2) float64 pixels of the face in the box."""
        import dlib

        left, top, right, bottom = (round(edge) for edge in box)
        shape = self._predictor(np.ascontiguousarray(frame), dlib.rectangle(left, top, right - 1, bottom - 1))
        return np.array([(shape.part(k).x, shape.part(k).y) for k in self._six], np.float64)


def _weights_path(settings: FeaturizeSettings) -> Path:
    if settings.dlib.predictor is None:
        return locate(WEIGHTS_NAME)
    path = Path(settings.dlib.predictor)
    check_sha256(path, settings.dlib.predictor_sha256 or WEIGHTS[WEIGHTS_NAME].sha256)
    return path
