"""Detectors and landmark predictors by name, each made once per process."""

from functools import cache
from typing import Protocol

import numpy as np

from components.core.registry import Registry
from components.faces.boxes import Box
from components.faces.face import Face
from components.faces.settings import FeaturizeSettings

DETECTORS = Registry(
    "face detector",
    {
        "dlib_hog": "components.faces.dlib_hog:DlibHog",
        "blazeface": "components.faces.blazeface:BlazeFace",
    },
)
LANDMARKERS = Registry(
    "landmark predictor",
    {
        "dlib68": "components.faces.dlib68:Dlib68",
        "mediapipe": "components.faces.mediapipe_mesh:MediapipeMesh",
    },
)


class FaceDetector(Protocol):
    """Finds faces in one frame."""

    def detect(self, frame: np.ndarray) -> list[Face]:
        """Faces in a frame (H, W, 3) uint8 RGB, the surest first."""
        ...

    def glance(self, frame: np.ndarray) -> list[Face]:
        """The same by one look at the whole frame, without a search for small ones."""
        ...

    def detect_near(self, frame: np.ndarray, region: Box, expected: bool = False) -> list[Face]:
        """Faces in one region of a frame, looked at closely.

        `expected`: another frame has a face there, so a less sure one counts too.
        """
        ...


class Landmarker(Protocol):
    """Finds six points of one face."""

    def landmarks_px(self, frame: np.ndarray, box: Box) -> np.ndarray | None:
        """(6, 2) float64 nose, chin, left eye, right eye, left mouth corner, right mouth corner.

        None where no face is in the box.
        """
        ...


@cache
def build_detector(settings: FeaturizeSettings) -> FaceDetector:
    """The detector that the settings name."""
    detector: FaceDetector = DETECTORS.get(settings.detector)(settings)
    return detector


@cache
def build_landmarker(settings: FeaturizeSettings) -> Landmarker:
    """The landmark predictor that the settings name."""
    landmarker: Landmarker = LANDMARKERS.get(settings.landmarks)(settings)
    return landmarker


def weights_digests(settings: FeaturizeSettings) -> dict[str, str]:
    """SHA-256 of the third-party weights in use, by name."""
    members = DETECTORS.get(settings.detector), LANDMARKERS.get(settings.landmarks)
    return {name: digest for member in members for name, digest in member.weights_digests(settings).items()}
