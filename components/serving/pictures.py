"""Pictures of one clip's way: its frames, and the people cut from them.

Source: paper 000's Figure 2 (background removed); Figures 3 to 5 are drawn over them by overlay.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from components.faces.boxes import Box
from components.serving.blurring import FindFaces, head_boxes, regions_to_blur, without_faces

GAP_PX, GAP_GREY = 4, 128


@dataclass(frozen=True)
class ClipPictures:
    """What is known of one clip's T frames.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB.
        masks: (T, H, W) bool of all persons, or None.
        boxes: (T, 2, 4) face boxes in pixels, NaN where no face was found.
        landmarks_px: (T, 2, 6, 2), NaN where missing.
        numbers: (T, 29), NaN where missing.
    """

    frames: np.ndarray
    masks: np.ndarray | None
    boxes: np.ndarray
    landmarks_px: np.ndarray
    numbers: np.ndarray


def frame_cells(clip: ClipPictures, width: int, find: FindFaces | None) -> list[np.ndarray]:
    """The frames `width` pixels wide, faces made unrecognisable unless `find` is None."""
    return [_cell(clip, k, width, find) for k in range(len(clip.frames))]


def segmented_cells(
    cells: Sequence[np.ndarray], masks: np.ndarray, find: FindFaces | None
) -> list[np.ndarray]:
    """The cells with all that is no person black; looked at again, as an outline can pass for a face."""
    return [_segmented(cell, _resized(mask, cell), find) for cell, mask in zip(cells, masks, strict=True)]


def strip(cells: Sequence[np.ndarray]) -> np.ndarray:
    """Cells of one height side by side with gaps between."""
    gap = np.full((cells[0].shape[0], GAP_PX, 3), GAP_GREY, np.uint8)
    return np.hstack([part for cell in cells for part in (gap, cell)][1:])


def _cell(clip: ClipPictures, k: int, width: int, find: FindFaces | None) -> np.ndarray:
    frame = clip.frames[k]
    scale = width / frame.shape[1]
    size = width, max(1, round(frame.shape[0] * scale))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    if find is None:
        return small
    known = clip.boxes[k][np.isfinite(clip.boxes[k]).all(axis=1)] * scale
    heads = [] if clip.masks is None else head_boxes(_resized(clip.masks[k], small))
    regions = regions_to_blur(small, find, [_box(values) for values in known], heads)
    return without_faces(small, regions, find)


def _segmented(cell: np.ndarray, mask: np.ndarray, find: FindFaces | None) -> np.ndarray:
    def cut(picture: np.ndarray) -> np.ndarray:
        return picture * mask[..., None]

    return cut(cell) if find is None else without_faces(cell, [], find, cut)


def _resized(mask: np.ndarray, cell: np.ndarray) -> np.ndarray:
    size = cell.shape[1], cell.shape[0]
    return cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)


def _box(values: np.ndarray) -> Box:
    x0, y0, x1, y1 = (float(value) for value in values)
    return x0, y0, x1, y1
