"""Square parts of a frame: how they are laid, cut out, and put back."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Square:
    """A square part of a frame, possibly turned and reaching over the frame's edge.

    Attributes:
        centre_px: (x, y).
        side_px: length of a side.
        up: unit vector (x, y) that is up inside the square.
    """

    centre_px: tuple[float, float]
    side_px: float
    up: tuple[float, float] = (0.0, -1.0)

    def inside(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Rows and columns of an upright square in a picture (H, W), cut at the picture's edges."""
        half = self.side_px / 2
        (left, top), (height, width) = (np.array(self.centre_px) - half).tolist(), shape[:2]
        rows = slice(max(0, round(top)), min(height, round(top + self.side_px)))
        return rows, slice(max(0, round(left)), min(width, round(left + self.side_px)))

    def scaled(self, factor: float) -> "Square":
        """The same square in a picture `factor` times as large."""
        x, y = self.centre_px
        return Square((x * factor, y * factor), self.side_px * factor, self.up)

    def to_frame(self, size_px: int) -> np.ndarray:
        """The affine map (2, 3) from the pixels of a `size_px` wide picture of the square to the frame's."""
        scale = self.side_px / size_px
        right_x, right_y = -self.up[1], self.up[0]
        turn = np.array([[right_x, -self.up[0]], [right_y, -self.up[1]]]) * scale
        offset = np.array(self.centre_px) - turn @ np.full(2, size_px / 2)
        return np.hstack([turn, offset[:, None]])


def whole(height: int, width: int) -> Square:
    """The square round the whole frame."""
    return Square((width / 2, height / 2), max(height, width))


def tiles(height: int, width: int, share: float, overlap: float) -> list[Square]:
    """Squares that cover the frame.

    Args:
        share: their side, as a share of the frame's shorter side.
        overlap: the least share of a square that its neighbour covers too.
    """
    side = share * min(height, width)
    centres_x, centres_y = (_centres(length, side, overlap) for length in (width, height))
    return [Square((float(x), float(y)), side) for y in centres_y for x in centres_x]


class Pyramid:
    """A frame at halved sizes, so that far larger squares are cut without aliasing.

    Args:
        frame: (H, W, 3) uint8 RGB.
    """

    def __init__(self, frame: np.ndarray) -> None:
        self._levels = [frame]

    def cut(self, square: Square, width: int) -> np.ndarray:
        """The square's picture (width, width, 3) uint8, black where it reaches over the frame's edge."""
        level = 0
        while square.side_px >= 2 ** (level + 1) * width:
            level += 1
        matrix = square.to_frame(width) / 2**level
        return cv2.warpAffine(
            self._level(level), matrix, (width, width), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        )

    def _level(self, level: int) -> np.ndarray:
        while len(self._levels) <= level:
            last = self._levels[-1]
            size = ((last.shape[1] + 1) // 2, (last.shape[0] + 1) // 2)
            self._levels.append(cv2.resize(last, size, interpolation=cv2.INTER_AREA))
        return self._levels[level]


def pasted(picture: np.ndarray, square: Square, shape: tuple[int, ...]) -> np.ndarray:
    """A square's values (size, size) float32 at their place in a frame (H, W), 0 outside the square."""
    matrix = square.to_frame(picture.shape[0])
    return cv2.warpAffine(picture, matrix, (shape[1], shape[0]), flags=cv2.INTER_LINEAR)


def _centres(length: int, side: float, overlap: float) -> np.ndarray:
    if length <= side:
        return np.array([length / 2])
    count = int(np.ceil((length - side) / (side * (1 - overlap)))) + 1
    return np.linspace(side / 2, length - side / 2, count)
