"""Boxes: xyxy in pixels, origin top left, end exclusive."""

import numpy as np

Box = tuple[float, float, float, float]
Tile = tuple[int, int, int, int]


def area(box: Box) -> float:
    """Square pixels; an empty box has none."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def centre(box: Box) -> tuple[float, float]:
    """(x, y) in pixels."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def side(box: Box) -> float:
    """The longer side, in pixels."""
    return max(box[2] - box[0], box[3] - box[1])


def iou(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1."""
    shared = overlap(one, other)
    union = area(one) + area(other) - shared
    return shared / union if union > 0 else 0.0


def overlap(one: Box, other: Box) -> float:
    """Square pixels that both cover."""
    return area((max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])))


def moved(box: Box, x: float, y: float) -> Box:
    """The box, `x` pixels to the right and `y` down."""
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def square(box: Box, scale: float) -> Box:
    """The square about the box's centre, `scale` times its longer side."""
    x, y = centre(box)
    half = side(box) * scale / 2
    return x - half, y - half, x + half, y + half


def around(points: np.ndarray) -> Box:
    """The smallest box about points (L, 2)."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def clipped(box: Box, width: int, height: int) -> Tile | None:
    """The whole pixels of a box that lie in a frame, or None if fewer than 2 x 2 do."""
    left, top = max(0, int(np.floor(box[0]))), max(0, int(np.floor(box[1])))
    right, bottom = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    return (left, top, right, bottom) if right - left >= 2 and bottom - top >= 2 else None
