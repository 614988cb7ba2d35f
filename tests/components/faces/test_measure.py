"""A face that one frame shows clearly is found again in frames that show it badly."""

import cv2
import numpy as np

from components.faces.boxes import centre
from components.faces.build import build_detector
from components.faces.measure import measure_clip
from components.faces.settings import FeaturizeSettings
from components.simulation.photographs import PHOTOGRAPHS, Photograph, read_picture

HEIGHT_PX = 24
BLURRED = 2.0
SETTINGS = FeaturizeSettings()


def frame_of(
    photograph: Photograph, pixels: np.ndarray, left: int, blur: float
) -> tuple[np.ndarray, np.ndarray]:
    """A grey frame (360, 640, 3) with the photograph, its face HEIGHT_PX high, and where the nose is."""
    scale = HEIGHT_PX / photograph.face_height_px
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:160, :220]
    frame = np.full((360, 640, 3), 100, np.uint8)
    frame[200 : 200 + len(small), left : left + small.shape[1]] = small
    shown = cv2.GaussianBlur(frame, (0, 0), blur) if blur else frame
    return shown, photograph.points_px[0] * scale + (left, 200)


def test_an_unsure_face_counts_only_where_one_is_expected(photograph: Photograph, pixels: np.ndarray) -> None:
    frame, (x, y) = frame_of(photograph, pixels, 400, BLURRED)
    region = (x - 60, y - 60, x + 60, y + 60)
    detector = build_detector(SETTINGS)
    assert detector.detect_near(frame, region) == []
    (face,) = detector.detect_near(frame, region, expected=True)
    assert np.hypot(*np.subtract(centre(face.box), (x, y))) < 0.25 * HEIGHT_PX


def test_a_lost_face_is_followed() -> None:
    photograph = PHOTOGRAPHS["hopper"]
    pixels = read_picture(photograph.package, photograph.file)
    clear, _ = frame_of(photograph, pixels, 400, 0)
    blurred, nose = frame_of(photograph, pixels, 413, BLURRED)
    empty = np.full_like(clear, 100)
    measured = measure_clip(np.stack([clear, blurred, empty]), None, SETTINGS)
    assert measured.found.tolist() == [["frame", ""], ["followed", ""], ["", ""]]
    assert np.hypot(*(measured.landmarks_px[1, 0, 0] - nose)) < 0.25 * HEIGHT_PX
    assert np.isnan(measured.numbers[2]).all()
