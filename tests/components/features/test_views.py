"""Frames laid into a model's geometry."""

import cv2
import numpy as np
import pytest

from components.core.errors import BadDataError, UsageError
from components.features.focused_bag import Focus, focused_bag
from components.features.views import STILL, View, lay_out

FRAMES = np.random.default_rng(0).integers(20, 235, (3, 90, 160, 3), np.uint8)
MASKS = np.zeros((3, 90, 160), bool)
MASKS[:, 30:60, 40:80] = True


def view(**given: object) -> View:
    return View(**{"sampling": "five", "height": 90, "width": 160, **given})  # type: ignore[arg-type]


def pixels(frames: np.ndarray, masks: np.ndarray | None, of: View) -> np.ndarray:
    return lay_out(frames, masks, of).pixels


@pytest.mark.parametrize(("background", "value"), [("black", 0), ("gray", 128), ("white", 255)])
def test_plain_background(background: str, value: int) -> None:
    rendered = pixels(FRAMES, MASKS, view(background=background))
    np.testing.assert_array_equal(rendered[MASKS], FRAMES[MASKS])
    assert (rendered[~MASKS] == value).all()


def test_keep_shows_the_frame_and_needs_no_masks() -> None:
    np.testing.assert_array_equal(pixels(FRAMES, None, view(background="keep")), FRAMES)


def test_blur_keeps_people_and_hides_the_rest() -> None:
    rendered = pixels(FRAMES, MASKS, view(background="blur"))
    np.testing.assert_array_equal(rendered[MASKS], FRAMES[MASKS])
    assert rendered[~MASKS].std() < 0.2 * FRAMES[~MASKS].std()


@pytest.mark.parametrize(("height", "width"), [(128, 128), (64, 64), (20, 200)])
def test_resized_straight_to_the_shape(height: int, width: int) -> None:
    rendered = pixels(FRAMES, None, view(background="keep", height=height, width=width))
    wanted = cv2.resize(FRAMES[1], (width, height), interpolation=cv2.INTER_AREA)
    assert rendered.shape == (3, height, width, 3)
    assert rendered.dtype == np.uint8
    np.testing.assert_array_equal(rendered[1], wanted)


def test_differences_are_about_the_middle() -> None:
    frames = np.zeros((4, 90, 160, 3), np.uint8)
    frames[1:] = 100
    frames[2:] = 255
    frames[3] = 0
    shown = pixels(frames, None, view(background="keep", difference=True))
    assert shown[:, 0, 0, 0].tolist() == [128, 178, 205, 0]


def test_a_still_clip_has_no_difference() -> None:
    still = np.repeat(FRAMES[:1], 3, axis=0)
    assert (pixels(still, None, view(background="keep", difference=True)) == 128).all()


def moving(start: int = 40, end: int = 56, total: int = 96) -> np.ndarray:
    """Still frames, and between start and end a bright square that walks."""
    frames = np.full((total, 90, 160, 3), 30, np.uint8)
    for k in range(start, min(end, total)):
        frames[k, 20:40, 4 * (k - start) : 4 * (k - start) + 20] = 200
    return frames


def test_focus_shows_the_frames_with_the_motion() -> None:
    frames, focus = moving(), Focus(frames=6, block=8)
    focused = view(background="keep", focus=focus)
    bag, shown = focused_bag(frames, focus), lay_out(frames, None, focused)
    np.testing.assert_array_equal(shown.pixels, frames[bag.indices])
    assert ((bag.indices >= 40) & (bag.indices < 64)).all()
    np.testing.assert_array_equal(shown.indices, bag.indices)
    assert (shown.kept, lay_out(frames, None, view(background="keep")).kept) == (16, 96)


def test_focus_cuts_people_out_of_the_chosen_frames() -> None:
    frames, focus = moving(), Focus(frames=6, block=8)
    masks = np.zeros(frames.shape[:3], bool)
    masks[:, :, ::2] = np.arange(96)[:, None, None] % 2 == 0
    chosen = focused_bag(frames, focus).indices
    wanted = pixels(frames[chosen], masks[chosen], view())
    np.testing.assert_array_equal(pixels(frames, masks, view(focus=focus)), wanted)


def test_a_difference_is_from_the_frame_before_in_the_sampling_and_not_in_the_focus() -> None:
    frames, focus = moving(), Focus(frames=4, block=8)
    plain = pixels(frames, None, view(background="keep", difference=True))
    focused = pixels(frames, None, view(background="keep", difference=True, focus=focus))
    np.testing.assert_array_equal(focused, plain[focused_bag(frames, focus).indices])
    assert (focused != STILL).any(axis=(1, 2, 3)).all()


def test_the_last_frame_of_a_short_clip_shows_its_motion_once() -> None:
    short = view(background="keep", difference=True, focus=Focus(frames=8))
    shown = pixels(moving(0, 5, 5), None, short)
    assert [bool((frame != STILL).any()) for frame in shown] == [False] + [True] * 4 + [False] * 3


@pytest.mark.parametrize("total", [1, 5, 20, 21, 400])
def test_focus_shows_as_many_frames_of_every_clip(total: int) -> None:
    rendered = pixels(moving(2, 5, total), None, view(background="keep", focus=Focus(frames=20)))
    assert rendered.shape == (20, 90, 160, 3)


@pytest.mark.parametrize("masks", [None, MASKS[:2], MASKS[:, :45]])
def test_refuses_masks_that_do_not_fit(masks: np.ndarray | None) -> None:
    with pytest.raises(BadDataError, match="masks of shape"):
        pixels(FRAMES, masks, view(background="black"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"height": 64, "width": None}, "height 64 and width None", id="half a size"),
        pytest.param(
            {"height": None, "width": None}, "without pixels, numbers and activations", id="nothing in it"
        ),
        pytest.param({"focus": Focus(), "numbers": True}, "focus and numbers", id="numbers of other frames"),
    ],
)
def test_refuses_a_view_that_means_nothing(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        view(**given)


def test_numbers_alone_are_a_view() -> None:
    assert not View("five", numbers=True).has_pixels
