"""Every detector finds the real faces, every predictor their six points, and none where there is none."""

from itertools import product

import cv2
import numpy as np
import pytest

from components.faces.blazeface import anchors, is_cut, letterbox, tiles
from components.faces.boxes import centre, side, square
from components.faces.build import DETECTORS, LANDMARKERS, build_detector, build_landmarker, weights_digests
from components.faces.settings import FeaturizeSettings
from components.simulation.photographs import Photograph


def settings(detector: str, landmarks: str, **more: object) -> FeaturizeSettings:
    return FeaturizeSettings(detector=detector, landmarks=landmarks, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("detector", DETECTORS.names())
def test_finds_the_photographed_face(detector: str, photograph: Photograph, pixels: np.ndarray) -> None:
    best = build_detector(settings(detector, "dlib68")).detect(pixels)[0]
    nose = photograph.points_px[0]
    assert np.hypot(*(np.array(centre(best.box)) - nose)) < 0.2 * photograph.face_height_px
    assert 0.5 < side(best.box) / photograph.face_height_px < 1.2


@pytest.mark.parametrize("nose_index", [31, 34])
@pytest.mark.parametrize(("detector", "landmarks"), product(DETECTORS.names(), LANDMARKERS.names()))
def test_six_points_lie_where_a_person_marked_them(
    detector: str, landmarks: str, nose_index: int, photograph: Photograph, pixels: np.ndarray
) -> None:
    chosen = settings(detector, landmarks, nose_index_1based=nose_index)
    face = build_detector(chosen).detect(pixels)[0]
    points = build_landmarker(chosen).landmarks_px(pixels, face.box)
    assert points is not None
    marked = photograph.points_px[:6].copy()
    if nose_index == 31:
        marked[0] = photograph.points_px[6]
    eyes = np.hypot(*(marked[3] - marked[2]))
    assert np.hypot(*(points - marked).T).mean() < 0.06 * eyes


@pytest.mark.parametrize("turn", [-35, -20, 20, 35])
def test_mesh_follows_a_tilted_head(turn: int, photograph: Photograph, pixels: np.ndarray) -> None:
    nose, height = photograph.points_px[0], photograph.face_height_px
    matrix = cv2.getRotationMatrix2D((float(nose[0]), float(nose[1])), turn, 1.0)
    tilted = cv2.warpAffine(pixels, matrix, pixels.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    marked = photograph.points_px[:6] @ matrix[:, :2].T + matrix[:, 2]
    box = square(
        (nose[0] - height * 0.4, nose[1] - height * 0.4, nose[0] + height * 0.4, nose[1] + height * 0.4), 1
    )
    points = build_landmarker(settings("blazeface", "mediapipe")).landmarks_px(tilted, box)
    assert points is not None
    assert np.hypot(*(points - marked).T).mean() < 0.08 * np.hypot(*(marked[3] - marked[2]))


def test_mesh_refuses_what_is_no_face() -> None:
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.integers(0, 255, (300, 300, 3), np.uint8), (0, 0), 6)
    mesh = build_landmarker(settings("blazeface", "mediapipe"))
    assert mesh.landmarks_px(noise, (100, 100, 200, 200)) is None
    assert mesh.landmarks_px(np.zeros((300, 300, 3), np.uint8), (100, 100, 200, 200)) is None


@pytest.mark.parametrize("detector", DETECTORS.names())
@pytest.mark.parametrize("value", [0, 128])
def test_finds_nothing_in_an_empty_frame(detector: str, value: int) -> None:
    assert build_detector(settings(detector, "dlib68")).detect(np.full((240, 320, 3), value, np.uint8)) == []


@pytest.mark.parametrize("height_px", [26, 40, 80])
def test_blazeface_finds_a_small_face_in_a_large_frame(
    height_px: int, photograph: Photograph, pixels: np.ndarray
) -> None:
    scale = height_px / photograph.face_height_px
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((360, 640, 3), 100, np.uint8)
    frame[200 : 200 + len(small), 420 : 420 + small.shape[1]] = small[: 360 - 200, : 640 - 420]
    nose = photograph.points_px[0] * scale + (420, 200)
    faces = build_detector(settings("blazeface", "mediapipe")).detect(frame)
    assert any(np.hypot(*(np.array(centre(face.box)) - nose)) < 0.25 * height_px for face in faces)


@pytest.mark.parametrize("detector", DETECTORS.names())
def test_near_look_speaks_of_the_frame(detector: str, photograph: Photograph, pixels: np.ndarray) -> None:
    nose, height = photograph.points_px[0], photograph.face_height_px
    region = square((nose[0] - height, nose[1] - height, nose[0] + height, nose[1] + height), 1)
    face = build_detector(settings(detector, "dlib68")).detect_near(pixels, region)[0]
    assert np.hypot(*(np.array(centre(face.box)) - nose)) < 0.2 * height


def test_near_look_outside_the_frame_sees_nothing() -> None:
    frame = np.zeros((100, 100, 3), np.uint8)
    for detector in DETECTORS.names():
        assert build_detector(settings(detector, "dlib68")).detect_near(frame, (300, 300, 400, 400)) == []


def test_weights_in_use_are_named() -> None:
    assert set(weights_digests(settings("blazeface", "mediapipe"))) == {
        "face_detection_full_range",
        "face_landmark",
    }
    assert set(weights_digests(settings("dlib_hog", "dlib68"))) == {"dlib_68_landmarks"}


def test_anchors_are_the_centres_of_the_cells() -> None:
    grid = anchors()
    assert grid.shape == (2304, 2)
    assert grid[0] == pytest.approx([0.5 / 48, 0.5 / 48])
    assert grid[1] == pytest.approx([1.5 / 48, 0.5 / 48])
    assert grid[-1] == pytest.approx([47.5 / 48, 47.5 / 48])


def test_letterbox_keeps_the_shape_of_things() -> None:
    values, scale, (left, top) = letterbox(np.full((100, 200, 3), 255, np.uint8))
    assert values.shape == (1, 192, 192, 3)
    assert (scale, left, top) == (0.96, 0, 48)
    assert values[0, 96, 96].tolist() == [1, 1, 1]
    assert values[0, 10, 96].tolist() == [-1, -1, -1]


@pytest.mark.parametrize(
    ("width", "height", "per_side"), [(480, 270, 1), (640, 480, 2), (270, 480, 3), (50, 50, 1)]
)
def test_tiles_cover_every_pixel(width: int, height: int, per_side: int) -> None:
    covered = np.zeros((height, width), int)
    for left, top, right, bottom in tiles(width, height, per_side, 0.25):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        covered[top:bottom, left:right] += 1
    assert covered.min() >= 1


def test_a_face_over_an_inner_edge_is_cut() -> None:
    tile = (100, 0, 300, 200)
    assert is_cut((95, 50, 140, 95), tile, 600, 200)
    assert not is_cut((150, -5, 190, 40), tile, 600, 200)  # the frame ends there: no tile shows more
    assert not is_cut((150, 50, 190, 90), tile, 600, 200)
