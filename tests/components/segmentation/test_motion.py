import cv2
import numpy as np
import pytest

from components.core.errors import UsageError
from components.segmentation.base import MotionSettings, SegmentSettings, build_segmenter
from components.video.clip_read import Frames

FRAMES, HEIGHT, WIDTH, SIDE = 30, 120, 240, 24


def _left(k):
    """Where the square of frame k begins."""
    return 5 + 7 * k


@pytest.fixture(scope="module")
def film():
    """A bright square that crosses a noisy, textured wall; beside it a picture that hangs still."""
    rng = np.random.default_rng(3)
    wall = cv2.GaussianBlur(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 3)
    wall[5:20, 190:230] = (200, 30, 30)
    pixels = np.stack([np.clip(wall + rng.normal(0, 2, wall.shape), 0, 255) for _ in range(FRAMES)]).astype(
        np.uint8
    )
    for k in range(FRAMES):
        pixels[k, 50 : 50 + SIDE, _left(k) : _left(k) + SIDE] = (250, 240, 40)
    return Frames(pixels, np.arange(FRAMES) / 10, np.arange(FRAMES))


def _masks(film, wanted, scale=1, **motion):
    settings = SegmentSettings("motion", dilate_px=0, motion=MotionSettings("dense", **motion))
    frames = np.repeat(np.repeat(film.pixels[wanted], scale, axis=1), scale, axis=2)
    return build_segmenter(settings).masks(frames, film.times_s[wanted], film)


@pytest.mark.parametrize("method", ["knn", "mog2"])
@pytest.mark.parametrize("k", [0, 14, 29])
def test_what_moves_is_found_in_every_frame(film, method, k):
    (mask,) = _masks(film, [k], method=method)
    truth = np.zeros((HEIGHT, WIDTH), bool)
    truth[50 : 50 + SIDE, _left(k) : _left(k) + SIDE] = True
    assert (mask & truth).sum() / (mask | truth).sum() > 0.75
    assert not mask[5:20, 190:230].any()


def test_masks_have_the_frames_size_and_the_nearest_time(film):
    masks = _masks(film, [3, 20], scale=3)
    assert masks.shape == (2, 3 * HEIGHT, 3 * WIDTH)
    for mask, k in zip(masks, (3, 20), strict=True):
        centre = np.nonzero(mask)[1].mean() / 3
        assert abs(centre - (_left(k) + SIDE / 2)) < 4


def test_a_still_film_has_no_masks(film):
    still = Frames(np.repeat(film.pixels[:1], FRAMES, axis=0), film.times_s, film.indices)
    assert not _masks(still, [0, 15]).any()


def test_small_blobs_are_dropped(film):
    assert not _masks(film, [10], min_blob_share=0.2).any()


def test_the_same_film_gives_the_same_masks(film):
    np.testing.assert_array_equal(_masks(film, [0, 10, 20]), _masks(film, [0, 10, 20]))


def test_without_a_dense_sampling_it_says_what_is_missing(film):
    segmenter = build_segmenter(SegmentSettings("motion"))
    with pytest.raises(UsageError, match=r"no dense frames.*segment\.motion\.sampling"):
        segmenter.masks(film.pixels, film.times_s, None)
