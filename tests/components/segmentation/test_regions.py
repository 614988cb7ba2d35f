import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.segmentation.regions import Pyramid, Square, pasted, tiles, whole

SHARES = st.floats(0.2, 1.0)


@given(st.integers(40, 400), st.integers(40, 400), SHARES, st.floats(0.0, 0.8))
def test_tiles_cover_the_frame_and_stay_inside(height, width, share, overlap):
    covered = np.zeros((height, width), bool)
    for square in tiles(height, width, share, overlap):
        rows, columns = square.inside(covered.shape)
        assert min(rows.stop - rows.start, columns.stop - columns.start) >= share * min(height, width) - 1.5
        covered[rows, columns] = True
    assert covered.all()


def test_neighbours_overlap():
    centres = sorted({square.centre_px[0] for square in tiles(100, 300, 0.5, 0.4)})
    assert max(np.diff(centres)) <= 0.6 * 50


def test_an_upright_square_is_cut_as_a_slice():
    frame = np.random.default_rng(1).integers(0, 256, (60, 80, 3), np.uint8)
    cut = Pyramid(frame).cut(Square((40.0, 30.0), 20.0), 20)
    np.testing.assert_array_equal(cut, frame[20:40, 30:50])


def test_what_lies_beyond_the_frame_is_black():
    frame = np.full((40, 80, 3), 200, np.uint8)
    cut = Pyramid(frame).cut(whole(40, 80), 80)
    assert not cut[:19].any()
    assert (cut[21:59] == 200).all()


def test_a_turned_square_stands_upright_when_cut():
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[45:55, 60:90] = 255  # a bar that points to the right of the centre
    cut = Pyramid(frame).cut(Square((50.0, 50.0), 100.0, up=(1.0, 0.0)), 100)
    rows, columns = np.nonzero(cut[:, :, 0] > 127)
    assert rows.max() < 50
    assert abs(columns.mean() - 49.5) < 1.5


def test_far_larger_squares_are_averaged_not_skipped():
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    small = Pyramid(stripes).cut(whole(512, 512), 32)
    assert abs(small[4:-4, 4:-4].astype(int) - 127).max() <= 2


@pytest.mark.parametrize("up", [(0.0, -1.0), (0.6, -0.8), (-1.0, 0.0)])
def test_pasting_undoes_cutting(up):
    frame = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 256, (90, 120), np.uint8), (0, 0), 4)
    square = Square((60.0, 45.0), 64.0, up)
    cut = Pyramid(np.dstack([frame] * 3)).cut(square, 64)[:, :, 0].astype(np.float32)
    back = pasted(cut, square, frame.shape)
    inside = pasted(np.ones((64, 64), np.float32), square, frame.shape) > 0.999
    assert inside.sum() > 3000
    assert abs(back - frame)[inside].max() < 4


def test_a_scaled_square_is_the_same_place():
    square = Square((30.0, 20.0), 10.0).scaled(2.0)
    assert square.inside((100, 100)) == (slice(30, 50), slice(50, 70))
