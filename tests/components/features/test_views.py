"""Frames laid into a model's geometry."""

import cv2
import numpy as np
import pytest

from components.core.errors import BadDataError, UsageError
from components.features.views import View, differences, render

FRAMES = np.random.default_rng(0).integers(20, 235, (3, 90, 160, 3), np.uint8)
MASKS = np.zeros((3, 90, 160), bool)
MASKS[:, 30:60, 40:80] = True


def view(**given: object) -> View:
    return View(**{"sampling": "five", "height": 90, "width": 160, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(("background", "value"), [("black", 0), ("gray", 128), ("white", 255)])
def test_plain_background(background: str, value: int) -> None:
    rendered = render(FRAMES, MASKS, view(background=background))
    np.testing.assert_array_equal(rendered[MASKS], FRAMES[MASKS])
    assert (rendered[~MASKS] == value).all()


def test_keep_shows_the_frame_and_needs_no_masks() -> None:
    np.testing.assert_array_equal(render(FRAMES, None, view(background="keep")), FRAMES)


def test_blur_keeps_people_and_hides_the_rest() -> None:
    rendered = render(FRAMES, MASKS, view(background="blur"))
    np.testing.assert_array_equal(rendered[MASKS], FRAMES[MASKS])
    assert rendered[~MASKS].std() < 0.2 * FRAMES[~MASKS].std()


@pytest.mark.parametrize(("height", "width"), [(128, 128), (64, 64), (20, 200)])
def test_resized_straight_to_the_shape(height: int, width: int) -> None:
    rendered = render(FRAMES, None, view(background="keep", height=height, width=width))
    wanted = cv2.resize(FRAMES[1], (width, height), interpolation=cv2.INTER_AREA)
    assert rendered.shape == (3, height, width, 3)
    assert rendered.dtype == np.uint8
    np.testing.assert_array_equal(rendered[1], wanted)


def test_differences_are_about_the_middle() -> None:
    frames = np.zeros((4, 2, 2, 3), np.uint8)
    frames[1:] = 100
    frames[2:] = 255
    frames[3] = 0
    assert differences(frames)[:, 0, 0, 0].tolist() == [128, 178, 205, 0]


def test_a_still_clip_has_no_difference() -> None:
    still = np.repeat(FRAMES[:1], 3, axis=0)
    assert (render(still, None, view(background="keep", difference=True)) == 128).all()


@pytest.mark.parametrize("masks", [None, MASKS[:2], MASKS[:, :45]])
def test_refuses_masks_that_do_not_fit(masks: np.ndarray | None) -> None:
    with pytest.raises(BadDataError, match="masks of shape"):
        render(FRAMES, masks, view(background="black"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"height": 64, "width": None}, "height 64 and width None", id="half a size"),
        pytest.param(
            {"height": None, "width": None}, "without pixels and without numbers", id="nothing in it"
        ),
    ],
)
def test_refuses_a_view_that_means_nothing(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        view(**given)


def test_numbers_alone_are_a_view() -> None:
    assert not View("five", numbers=True).has_pixels
