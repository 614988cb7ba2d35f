"""Where persons are: the person detector of MediaPipe's pose networks, on the frame and on tiles.

Source: Bazarevsky et al., "BlazePose: On-device real-time body pose tracking" (2020), and the graph
pose_detection of MediaPipe 0.10.21 (anchors of five layers, strides 8, 16, 32, 32, 32, all of size 1).
Ours: the decoding, the tiles, and the merging.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from components.core.litert import network
from components.segmentation.regions import Pyramid, Square

WEIGHTS = "pose_detection"
INPUT_PX = 224
STRIDES = (8, 16, 32, 32, 32)
ANCHORS_PER_LAYER = 2
POINTS = slice(4, 8)  # of the 12 numbers: middle of the hips, and the top of the circle round the body
SAME_PERSON = 0.5  # of the radius
MAX_LOGIT = 100.0


@dataclass(frozen=True)
class Person:
    """A circle round a body.

    Attributes:
        hips_px: (x, y) of the circle's centre.
        top_px: (x, y) of the point of the circle above the head.
        score: 0 to 1.
    """

    hips_px: tuple[float, float]
    top_px: tuple[float, float]
    score: float

    @property
    def radius_px(self) -> float:
        """Of the circle."""
        return float(np.hypot(self.top_px[0] - self.hips_px[0], self.top_px[1] - self.hips_px[1]))


def find_people(pyramid: Pyramid, squares: list[Square], min_score: float) -> list[Person]:
    """Persons seen in any of the squares, the surest first, each once."""
    found = [person for square in squares for person in _people_in(pyramid, square, min_score)]
    found.sort(key=lambda person: (-person.score, person.hips_px))
    kept: list[Person] = []
    for person in found:
        if not any(_same(person, other) for other in kept):
            kept.append(person)
    return kept


def _people_in(pyramid: Pyramid, square: Square, min_score: float) -> list[Person]:
    picture = pyramid.cut(square, INPUT_PX).astype(np.float32) * np.float32(2 / 255) - 1
    numbers, logits = network(WEIGHTS).run(picture[None])
    return decode(numbers[0], logits[0, :, 0], square, min_score)


def decode(numbers: np.ndarray, logits: np.ndarray, square: Square, min_score: float) -> list[Person]:
    """Persons, in the frame's pixels, from the network's outputs for one square.

    Args:
        numbers: (2254, 12): a box and four points by anchor, in input pixels from the anchor.
        logits: (2254,).
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -MAX_LOGIT, MAX_LOGIT)))
    likely = np.flatnonzero(scores >= min_score)
    points = numbers[likely, POINTS].reshape(-1, 2, 2) + anchors()[likely, None]
    matrix = square.to_frame(INPUT_PX)
    placed = (points @ matrix[:, :2].T + matrix[:, 2]).tolist()
    return [
        Person((hips[0], hips[1]), (top[0], top[1]), float(score))
        for (hips, top), score in zip(placed, scores[likely], strict=True)
    ]


@cache
def anchors() -> np.ndarray:
    """Anchor centres (2254, 2), x and y in input pixels, in the order of the network's outputs."""
    layers = []
    for stride in dict.fromkeys(STRIDES):
        cells = INPUT_PX // stride
        rows, columns = np.mgrid[:cells, :cells]
        centres = (np.stack([columns, rows], axis=-1).reshape(-1, 2) + 0.5) * stride
        layers.append(np.repeat(centres, ANCHORS_PER_LAYER * STRIDES.count(stride), axis=0))
    return np.concatenate(layers)


def _same(one: Person, other: Person) -> bool:
    larger = max(one.radius_px, other.radius_px)
    apart = np.hypot(one.hips_px[0] - other.hips_px[0], one.hips_px[1] - other.hips_px[1])
    return bool(apart + abs(one.radius_px - other.radius_px) < SAME_PERSON * larger)
