import cv2
import numpy as np
import pytest

from components.segmentation.base import SegmentSettings, SelfieSettings, build_segmenter
from components.segmentation.people import Person
from components.segmentation.regions import Square
from components.segmentation.selfie import GENERAL, Looks, canvas_size, look, round_body

REGIONS = ("frame", "tiles", "people")
FACE = (slice(70, 190), slice(185, 265))  # of the astronaut
FLAG = (slice(10, 200), slice(10, 90))  # behind her


def _mask(frame, **selfie):
    segmenter = build_segmenter(SegmentSettings(dilate_px=0, selfie=SelfieSettings(**selfie)))
    return segmenter.masks(frame[None], np.zeros(1), None)[0]


@pytest.mark.parametrize(("regions", "flag_limit"), [("frame", 0.25), ("tiles", 0.25), ("people", 0.6)])
def test_a_near_person_is_cut_out(astronaut, regions, flag_limit):
    before = astronaut.copy()
    mask = _mask(astronaut, regions=regions)
    assert mask.dtype == bool
    assert mask.shape == astronaut.shape[:2]
    assert mask[FACE].mean() > 0.97
    assert mask[FLAG].mean() < flag_limit
    np.testing.assert_array_equal(astronaut, before)


@pytest.mark.parametrize("regions", REGIONS)
def test_an_empty_room_has_no_person(empty_room, regions):
    assert not _mask(empty_room, regions=regions).any()


def test_a_far_person_is_seen_by_tiles(far_person):
    scene, place = far_person
    mask = _mask(scene, regions="tiles")
    assert mask[place].mean() > 0.3
    outside = mask.copy()
    outside[place] = False
    assert outside.mean() < 0.005


def test_the_same_frame_gives_the_same_mask(far_person):
    scene, _ = far_person
    np.testing.assert_array_equal(_mask(scene), _mask(scene.copy()))


def test_masks_have_the_frames_size_whatever_it_is(astronaut):
    for frame in (astronaut[:300, :201], np.kron(astronaut, np.ones((3, 3, 1), np.uint8))):
        mask = _mask(frame)
        assert mask.shape == frame.shape[:2]
        assert mask.any()


def test_no_frames_give_no_masks():
    masks = build_segmenter(SegmentSettings()).masks(np.zeros((0, 36, 64, 3), np.uint8), np.zeros(0), None)
    assert masks.shape == (0, 36, 64)


def test_looks_agree_by_the_mean_of_the_two_surest(astronaut):
    looks = Looks(np.full((64, 64), 0.2, np.float32), np.zeros((64, 64), np.float32))
    squares = [Square((32.0, 32.0), 64.0), Square((40.0, 32.0), 48.0)]
    frame = cv2.resize(astronaut, (64, 64))
    looks.add_all(frame, squares, 1.0)
    first = look(frame, 64, 64, GENERAL)
    rows, columns = squares[1].inside((64, 64))
    seen = np.stack([np.full((64, 64), 0.2, np.float32), first, np.zeros((64, 64), np.float32)])
    seen[2, rows, columns] = look(frame[rows, columns], 48, 48, GENERAL)
    np.testing.assert_allclose(looks.agreed(), np.sort(seen, axis=0)[-2:].mean(axis=0), atol=1e-6)


@pytest.mark.parametrize(
    ("size", "canvas"),
    [((360, 640), (320, 180)), ((1080, 1920), (320, 180)), ((100, 50), (50, 100)), ((1, 9000), (320, 1))],
)
def test_looks_are_joined_at_the_networks_size_at_most(size, canvas):
    assert canvas_size(*size) == canvas


def test_a_lying_body_is_turned_upright():
    square = round_body(Person((50.0, 50.0), (90.0, 50.0), 0.9))
    assert square.up == (1.0, 0.0)
    assert square.side_px == 100.0
