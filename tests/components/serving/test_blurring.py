"""Faces made unrecognisable: real photographs, and detectors that must find nothing afterwards."""

from collections.abc import Iterator

import cv2
import matplotlib.cbook
import numpy as np
import pytest
from skimage import data

from components.faces.build import build_detector
from components.faces.settings import FeaturizeSettings
from components.serving.blurring import (
    CELLS,
    all_detectors,
    blur,
    head_boxes,
    looking_closer,
    regions_to_blur,
    without_faces,
)

ASTRONAUT_FACE = (175.0, 60.0, 275.0, 190.0)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """A smiling face looking at the camera, (512, 512, 3)."""
    return data.astronaut()


@pytest.fixture(scope="module")
def hopper() -> np.ndarray:
    """An old portrait, (600, 512, 3)."""
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as stream:
        encoded = np.frombuffer(stream.read(), np.uint8)
    return cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def composites(astronaut: np.ndarray, hopper: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Both persons in one frame, near, far, mirrored and tilted."""
    near = np.hstack([cv2.resize(astronaut, (320, 320)), cv2.resize(hopper, (273, 320))])
    yield "near", near
    yield "mirrored", np.ascontiguousarray(near[:, ::-1])
    far = np.full((360, 640, 3), 90, np.uint8)
    far[120:220, 100:200] = cv2.resize(astronaut, (100, 100))
    far[100:220, 400:502] = cv2.resize(hopper, (102, 120))
    yield "far", far
    turn = cv2.getRotationMatrix2D((296, 160), 15, 1)
    yield "tilted", cv2.warpAffine(near, turn, (near.shape[1], near.shape[0]))


def faces_found(picture: np.ndarray) -> int:
    """By the pipeline's own default detector and by the paper's."""
    settings = (FeaturizeSettings(), FeaturizeSettings(detector="dlib_hog"))
    return sum(len(build_detector(one).detect(picture)) for one in settings)


def test_no_detector_finds_a_face_after_blurring(astronaut, hopper):
    find = all_detectors()
    for name, picture in composites(astronaut, hopper):
        assert faces_found(picture) >= 2, f"{name}: the picture must hold faces to begin with"
        blurred = without_faces(picture, regions_to_blur(picture, find, [], []), find)
        assert faces_found(blurred) == 0, name
        assert find(blurred) == [], name


def test_only_faces_are_touched(astronaut):
    find = all_detectors()
    blurred = without_faces(astronaut, [ASTRONAUT_FACE], find)
    changed = (blurred != astronaut).any(axis=2)
    assert changed[80:170, 190:260].mean() > 0.95
    assert changed.mean() < 0.15


def test_blur_leaves_no_detail_of_a_face(astronaut):
    x0, y0, x1, y1 = (int(edge) for edge in ASTRONAUT_FACE)
    blurred = blur(astronaut, {ASTRONAUT_FACE: CELLS[0]})
    before, after = (
        cv2.Laplacian(cv2.cvtColor(picture[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY), cv2.CV_64F).var()
        for picture in (astronaut, blurred)
    )
    assert after < before / 20


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((-50.0, -50.0, -10.0, -10.0), id="outside"),
        pytest.param((-20.0, -20.0, 30.0, 30.0), id="over the edge"),
        pytest.param((500.0, 500.0, 500.0, 500.0), id="empty"),
    ],
)
def test_boxes_at_the_edge_are_no_problem(astronaut, box):
    assert blur(astronaut, {box: 5}).shape == astronaut.shape


def test_what_stays_a_face_is_painted_over():
    """A detector that takes any texture for a face is satisfied in the end."""
    picture = np.random.default_rng(27).integers(0, 255, (60, 80, 3), np.uint8)

    def find(seen: np.ndarray) -> list[tuple[float, float, float, float]]:
        return [(10.0, 10.0, 30.0, 30.0)] if seen[10:30, 10:30].std(axis=(0, 1)).any() else []

    assert find(without_faces(picture, [], find)) == []


def test_a_detector_that_never_ends_gets_a_flat_picture():
    picture = np.random.default_rng(27).integers(0, 255, (60, 80, 3), np.uint8)
    flat = without_faces(picture, [], lambda seen: [(0.0, 0.0, 5.0, 5.0)])
    assert flat.std(axis=(0, 1)).max() == 0


def test_finish_is_looked_at_too():
    """A face drawn over the blur is found and the blur under it made coarser, until it is painted over."""
    picture = np.full((60, 80, 3), 90, np.uint8)

    def draw(blurred: np.ndarray) -> np.ndarray:
        drawn = blurred.copy()
        drawn[20:40, 20:40] = 255
        return drawn

    def find(seen: np.ndarray) -> list[tuple[float, float, float, float]]:
        return [(20.0, 20.0, 40.0, 40.0)] if (seen[20:40, 20:40] == 255).all() else []

    assert find(without_faces(picture, [], find, draw)) == []


def test_heads_of_two_persons_in_one_piece_of_a_mask():
    mask = np.zeros((200, 200), bool)
    mask[100:200, 20:180] = True  # shoulders that touch
    mask[60:100, 40:70] = True
    mask[60:100, 130:160] = True
    heads = head_boxes(mask)
    assert len(heads) == 2
    assert {(head[0], head[2]) for head in heads} == {(40.0, 70.0), (130.0, 160.0)}


def test_a_head_without_a_found_face_is_blurred_and_one_with_a_face_is_not_twice():
    heads = [(30.0, 30.0, 70.0, 70.0), (100.0, 30.0, 140.0, 70.0)]
    regions = regions_to_blur(
        np.zeros((200, 200, 3), np.uint8), lambda picture: [(40.0, 40.0, 60.0, 60.0)], [], heads
    )
    assert regions == [(40.0, 40.0, 60.0, 60.0), (100.0, 30.0, 140.0, 70.0)]


def test_specks_of_a_mask_are_no_persons():
    mask = np.zeros((200, 200), bool)
    mask[10:14, 10:14] = True
    assert head_boxes(mask) == []


def test_a_closer_look_sees_what_is_too_small_and_tells_where_it_is():
    def bright_from_six_pixels(picture: np.ndarray) -> list:
        columns = np.flatnonzero(picture[:, :, 0].max(axis=0) > 127)
        return [(float(columns[0]), 0.0, float(columns[-1] + 1), 1.0)] if len(columns) >= 6 else []

    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, 10:14] = 255
    closer = looking_closer(bright_from_six_pixels, bright_from_six_pixels)
    assert bright_from_six_pixels(picture) == []
    ((left, _, right, _),) = closer(picture)
    assert (left, right) == pytest.approx((10, 14), abs=1)
