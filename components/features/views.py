"""Views: the geometry that a model asks for, and frames laid into it.

Source: paper 000, III-C and III-G (people on no background, 128 x 128); paper 004, III-A (differences of
frames, focused bag).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from components.core.errors import BadDataError, UsageError
from components.features.focused_bag import Focus, FocusedBag, focused_bag

PLAIN = {"black": 0, "gray": 128, "white": 255}
BLUR_SHARE = 0.05  # of the longer side: nothing behind the people can be recognised
STILL = 128  # the value of no change in a difference frame


@dataclass(frozen=True)
class View:
    """What a model sees of a clip.

    Attributes:
        sampling: the name of the sampling.
        height: pixels; without height and width the view has no pixels.
        width: pixels.
        background: what stands where no person is.
        numbers: whether the 29 numbers belong to it.
        difference: each frame less the one before, half the change about the middle grey.
        activations: whether the change of pose networks' activations belongs to it.
        focus: of the sampling's frames, only those that hold the main motion; as many in every clip.
    """

    sampling: str
    height: int | None = None
    width: int | None = None
    background: Literal["keep", "black", "white", "gray", "blur"] = "black"
    numbers: bool = False
    difference: bool = False
    activations: bool = False
    focus: Focus | None = None

    def __post_init__(self) -> None:
        if (self.height is None) != (self.width is None):
            raise UsageError(
                f"a view of height {self.height} and width {self.width}",
                wanted="both, or neither",
                remedy="complete the view in params.yaml",
            )
        if self.height is None and not self.numbers and not self.activations:
            raise UsageError(
                "a view without pixels, numbers and activations",
                wanted="height and width, numbers: true or activations: true",
                remedy="complete the view in params.yaml",
            )
        if self.focus is not None and (self.numbers or self.height is None):
            raise UsageError(
                "a view with focus and numbers" if self.numbers else "a view with focus and without pixels",
                wanted="focus on frames alone: the numbers belong to other frames",
                remedy="give the model of the numbers a view of its own in params.yaml",
            )

    @property
    def has_pixels(self) -> bool:
        """Whether frames belong to it."""
        return self.height is not None


@dataclass(frozen=True)
class Rendered:
    """A clip in a view.

    Attributes:
        pixels: (T, height, width, 3) uint8 RGB.
        indices: (T,) int64, which of the sampling's frames they are.
        kept: how many of the sampling's frames were in focus; all of a view without one.
    """

    pixels: np.ndarray
    indices: np.ndarray
    kept: int


def lay_out(frames: np.ndarray, masks: np.ndarray | None, view: View) -> Rendered:
    """Lay the frames of one clip into a view.

    A view with focus looks for motion in the frames as they are, with their background.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        masks: (T, H, W) bool, persons; None only with background `keep`.

    Returns:
        Frames resized straight to the view's shape whatever their own.

    Raises:
        BadDataError: the view wants another background and there are no masks, or they do not fit.
    """
    if view.background != "keep" and (masks is None or masks.shape != frames.shape[:3]):
        raise BadDataError(
            f"masks of shape {None if masks is None else masks.shape} for frames of shape {frames.shape}",
            wanted="one mask of a frame's size for each frame",
            remedy="run segment again",
        )
    bag = FocusedBag(np.arange(len(frames)), len(frames))
    if view.focus is not None:
        bag = focused_bag(frames, view.focus)
    chosen = bag.indices.tolist()
    shown = {k: _frame(frames[k], None if masks is None else masks[k], view) for k in _needed(chosen, view)}
    small = np.stack([shown[k] for k in chosen])
    if not view.difference:
        return Rendered(small, bag.indices, bag.kept)
    # The last frame of a short clip stands for those that it lacks: once repeated, it shows no change.
    previous = [k if k == last else max(k - 1, 0) for last, k in pairwise([-1, *chosen])]
    before = np.stack([shown[k] for k in previous])
    return Rendered(change(before, small), bag.indices, bag.kept)


def change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Half of what changed between frames (T, H, W, 3) uint8, about 128.

    Source: paper 004, frame differencing.
    """
    half = (after.astype(np.int16) - before) // 2
    return np.clip(STILL + half, 0, 255).astype(np.uint8)


def _needed(chosen: list[int], view: View) -> list[int]:
    before = {max(k - 1, 0) for k in chosen} if view.difference else set()
    return sorted({*chosen, *before})


def _frame(frame: np.ndarray, mask: np.ndarray | None, view: View) -> np.ndarray:
    import cv2

    shown = (
        frame if view.background == "keep" or mask is None else _on_background(frame, mask, view.background)
    )
    size = (view.width or 0, view.height or 0)
    return cv2.resize(shown, size, interpolation=cv2.INTER_AREA)


def _on_background(frame: np.ndarray, mask: np.ndarray, background: str) -> np.ndarray:
    import cv2

    behind = _blurred(frame) if background == "blur" else np.full_like(frame, PLAIN[background])
    return cv2.copyTo(frame, mask.view(np.uint8), behind)


def _blurred(frame: np.ndarray) -> np.ndarray:
    import cv2

    side = max(3, int(BLUR_SHARE * max(frame.shape[:2]))) | 1
    once = cv2.blur(frame, (side, side))
    return cv2.blur(once, (side, side))
