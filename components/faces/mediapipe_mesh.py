"""MediaPipe's face landmark network: 468 points and the probability of a face, of which six points are ours.

Source: Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs" (2019), and
the graph face_landmark of MediaPipe 0.10.21. Ours: no rotation is asked of the detector; each look gives the
line of the eyes, by which the crop of the next look is turned.
"""

from math import exp

import cv2
import numpy as np

from components.core.litert import network
from components.core.weights import WEIGHTS
from components.faces.boxes import Box, around, centre, side
from components.faces.settings import FeaturizeSettings

WEIGHTS_NAME = "face_landmark"
INPUT_PX = 192
MAX_LOGIT = 60.0
NO_FACE = 0.05  # another look would follow noise
CROP_SCALE = 1.5  # crop's side over the face's
MIDDLE = slice(32, 160)  # where the face is
LEAST_CONTRAST = np.float32(50)  # of 255; with less, noise would be raised
RANGE = np.float32(0.9)
NOSE_OF = {34: 2, 31: 4}  # index among the 468 of the point that is 34 (31) of the 68
LEFT_EYE, RIGHT_EYE = 33, 263
CHIN_EYES_MOUTH = (152, LEFT_EYE, RIGHT_EYE, 61, 291)
MAX_TURNS = 3
UPRIGHT_RAD = 0.1


class MediapipeMesh:
    """Finds the six points of a face of any roll."""

    def __init__(self, settings: FeaturizeSettings) -> None:
        self._min_presence = settings.min_presence
        self._small_px = settings.small_face_px
        self._six = [NOSE_OF[settings.nose_index_1based], *CHIN_EYES_MOUTH]
        self._network = network(WEIGHTS_NAME)

    @staticmethod
    def weights_digests(_: FeaturizeSettings) -> dict[str, str]:
        """The network's digest."""
        return {WEIGHTS_NAME: WEIGHTS[WEIGHTS_NAME].sha256}

    def landmarks_px(self, frame: np.ndarray, box: Box) -> np.ndarray | None:
        """(6, 2) float64 pixels of the face in the box; None if it is not small and no face is seen."""
        points, presence = self.mesh_px(frame, box)
        seen = presence >= self._min_presence or side(box) < self._small_px
        return points[self._six].astype(np.float64) if seen else None

    def mesh_px(self, frame: np.ndarray, box: Box) -> tuple[np.ndarray, float]:
        """(468, 2) pixels and the probability of a face, looked at until the eyes lie level."""
        turn, turned = 0.0, np.inf
        points, presence = self._look(frame, centre(box), side(box) * CROP_SCALE, turn)
        for _ in range(MAX_TURNS):
            if presence < NO_FACE or abs(turned) < UPRIGHT_RAD:
                break
            eyes = points[RIGHT_EYE] - points[LEFT_EYE]
            turned = float(np.arctan2(eyes[1], eyes[0])) - turn
            turn += turned
            upright = around(points)
            points, presence = self._look(frame, centre(upright), side(upright) * CROP_SCALE, turn)
        return points, presence

    def _look(
        self, frame: np.ndarray, at: tuple[float, float], size: float, turn: float
    ) -> tuple[np.ndarray, float]:
        """One run on a square crop of this size (pixels) about `at`, turned by `turn` (radians)."""
        scale = size / INPUT_PX
        cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
        half = (INPUT_PX - 1) / 2
        to_frame = np.array([[cos, -sin, at[0] - half * (cos - sin)], [sin, cos, at[1] - half * (sin + cos)]])
        crop = cv2.warpAffine(
            frame, to_frame, (INPUT_PX, INPUT_PX), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        points, logit = self._network.run(stretched(crop)[None])
        mesh = points.reshape(468, 3)[:, :2]
        return mesh @ to_frame[:, :2].T + to_frame[:, 2], _probability(logit.item())


def stretched(crop: np.ndarray) -> np.ndarray:
    """A crop (192, 192, 3) uint8 as float32 in 0..1 with all its contrast: far faces are grey and dark."""
    low, high = np.percentile(crop[MIDDLE, MIDDLE][::2, ::2], (2, 98)).astype(np.float32)
    span = max(high - low, LEAST_CONTRAST)
    return np.clip((crop - low) * (RANGE / span) + (1 - RANGE) / 2, 0, 1, dtype=np.float32)


def _probability(logit: float) -> float:
    return 1 / (1 + exp(-max(-MAX_LOGIT, min(MAX_LOGIT, logit))))
