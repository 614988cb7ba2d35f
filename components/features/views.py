"""Views: the geometry that a model asks for, and frames laid into it.

Source: paper 000, III-B and III-G (people on no background, 128 x 128); paper 004 (differences of frames).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from components.core.errors import BadDataError, UsageError

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
    """

    sampling: str
    height: int | None = None
    width: int | None = None
    background: Literal["keep", "black", "white", "gray", "blur"] = "black"
    numbers: bool = False
    difference: bool = False

    def __post_init__(self) -> None:
        if (self.height is None) != (self.width is None):
            raise UsageError(
                f"a view of height {self.height} and width {self.width}",
                wanted="both, or neither",
                remedy="complete the view in params.yaml",
            )
        if self.height is None and not self.numbers:
            raise UsageError(
                "a view without pixels and without numbers",
                wanted="height and width, or numbers: true",
                remedy="complete the view in params.yaml",
            )

    @property
    def has_pixels(self) -> bool:
        """Whether frames belong to it."""
        return self.height is not None


def render(frames: np.ndarray, masks: np.ndarray | None, view: View) -> np.ndarray:
    """Lay the frames of one clip into a view.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        masks: (T, H, W) bool, persons; None only with background `keep`.

    Returns:
        (T, height, width, 3) uint8 RGB, resized straight to this shape whatever the frames' own.

    Raises:
        BadDataError: the view wants another background and there are no masks, or they do not fit.
    """
    if view.background != "keep" and (masks is None or masks.shape != frames.shape[:3]):
        raise BadDataError(
            f"masks of shape {None if masks is None else masks.shape} for frames of shape {frames.shape}",
            wanted="one mask of a frame's size for each frame",
            remedy="run segment again",
        )
    small = np.stack(
        [_frame(frame, None if masks is None else masks[k], view) for k, frame in enumerate(frames)]
    )
    return differences(small) if view.difference else small


def differences(frames: np.ndarray) -> np.ndarray:
    """Half of what changed since the frame before, about 128; (T, H, W, 3) uint8, the first frame is still.

    Source: paper 004, frame differencing.
    """
    change = np.zeros(frames.shape, np.int16)
    change[1:] = frames[1:].astype(np.int16) - frames[:-1]
    return np.clip(STILL + change // 2, 0, 255).astype(np.uint8)


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
