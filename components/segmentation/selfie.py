"""Person masks by the selfie-segmentation and pose networks of MediaPipe, on one core.

The selfie networks see near persons on whole frames and are blind to far ones, so a frame is also looked at
in parts. A part without a person makes the networks see one in furniture, so of all looks at a pixel the two
surest must agree on average, and a crop counts only when the pose network confirms a person in it.

Source: the graphs selfie_segmentation and pose_landmark of MediaPipe 0.10.21. Ours: the regions, the joining.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from components.core.litert import Network, network
from components.core.weights import WEIGHTS
from components.segmentation import people, regions
from components.segmentation.base import FrameSegmenter, SegmentSettings
from components.segmentation.people import Person
from components.segmentation.regions import Pyramid, Square

WIDE = "selfie_segmentation_landscape"
GENERAL = "selfie_segmentation"
POSE = "pose_landmark_full"
NETWORKS = {"frame": (WIDE,), "tiles": (WIDE, GENERAL), "people": (POSE, people.WEIGHTS)}
BODY_MARGIN = 1.25  # of the circle round a body, as in MediaPipe's graph
DETECTOR_TILE_SHARE = 0.6  # of the frame's shorter side
MAX_LOGIT = 50.0
CANVAS_SIDE_PX = 320  # as fine as the networks see; joining at the frame's own size finds no more


class SelfieSegmenter(FrameSegmenter):
    """Masks of persons, by networks of a few milliseconds."""

    def __init__(self, settings: SegmentSettings) -> None:
        self._settings = settings.selfie
        ways: dict[str, Callable[[np.ndarray, int, int], np.ndarray]]
        ways = {"frame": look, "tiles": self._tiles, "people": self._people}
        self._probability = ways[settings.selfie.regions]

    @staticmethod
    def weights_digests(settings: SegmentSettings) -> dict[str, str]:
        """SHA-256 of the networks in use."""
        return {name: WEIGHTS[name].sha256 for name in NETWORKS[settings.selfie.regions]}

    def mask(self, frame: np.ndarray) -> np.ndarray:
        """The mask bool (H, W) of one frame (H, W, 3) uint8 RGB."""
        width, height = canvas_size(*frame.shape[:2])
        probability = self._probability(frame, height, width)
        full = cv2.resize(probability, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        mask: np.ndarray = full >= self._settings.min_probability
        return mask

    def _tiles(self, frame: np.ndarray, height: int, width: int) -> np.ndarray:
        """The mean of the two surest of all looks at each pixel, the whole frame's among them."""
        looks = Looks(look(frame, height, width), np.zeros((height, width), np.float32))
        scale = frame.shape[0] / height
        squares = regions.tiles(height, width, self._settings.tile_shares[0], self._settings.tile_overlap)
        looks.add_all(frame, squares, scale)
        for share in self._settings.tile_shares[1:]:
            squares = regions.tiles(height, width, share, self._settings.tile_overlap)
            looks.add_all(frame, [square for square in squares if self._is_disputed(looks, square)], scale)
        return looks.agreed()

    def _is_disputed(self, looks: "Looks", square: Square) -> bool:
        part = square.inside(looks.best.shape)
        limit = self._settings.min_probability
        disputed = (looks.best[part] >= limit) & (looks.agreed(part) < limit)
        return bool(disputed.mean() > self._settings.min_disagreement)

    def _people(self, frame: np.ndarray, height: int, width: int) -> np.ndarray:
        """The best of all looks at persons that the pose network confirms."""
        pyramid = Pyramid(frame)
        tall, wide = frame.shape[:2]
        tiles = regions.tiles(tall, wide, DETECTOR_TILE_SHARE, self._settings.tile_overlap)
        squares = [regions.whole(tall, wide), *tiles]
        joined = np.zeros((height, width), np.float32)
        for person in people.find_people(pyramid, squares, self._settings.min_person_score):
            square = round_body(person)
            presence, pixels = pose_look(pyramid, square)
            if presence >= self._settings.min_presence:
                seen = regions.pasted(pixels, square.scaled(height / tall), joined.shape)
                np.maximum(joined, seen, out=joined)
        return joined


class Looks(NamedTuple):
    """The highest and the second highest probability (H, W) float32 that any look gave each pixel."""

    best: np.ndarray
    second: np.ndarray

    def agreed(self, part: tuple[slice, slice] = (slice(None), slice(None))) -> np.ndarray:
        """The mean of the two, in a part of the canvas."""
        mean: np.ndarray = (self.best[part] + self.second[part]) / 2
        return mean

    def add_all(self, frame: np.ndarray, squares: list[Square], scale: float) -> None:
        """Look at each square of the frame, which is `scale` times as large as this canvas."""
        for square in squares:
            rows, columns = square.inside(self.best.shape)
            part = frame[square.scaled(scale).inside(frame.shape)]
            seen = look(part, rows.stop - rows.start, columns.stop - columns.start, GENERAL)
            best, second = self.best[rows, columns], self.second[rows, columns]
            np.maximum(second, np.minimum(best, seen), out=second)
            np.maximum(best, seen, out=best)


def canvas_size(height: int, width: int) -> tuple[int, int]:
    """Width and height at which looks are joined: the frame's, or smaller."""
    scale = min(1.0, CANVAS_SIDE_PX / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def look(picture: np.ndarray, height: int, width: int, weights: str = WIDE) -> np.ndarray:
    """Probability of a person (height, width) float32 in a picture (H, W, 3) uint8 RGB, seen whole."""
    net = network(weights)
    seen = net.run(_scaled(cv2.resize(picture, (net.width, net.height), interpolation=cv2.INTER_AREA)))[0]
    return cv2.resize(seen[0, :, :, 0], (width, height), interpolation=cv2.INTER_LINEAR)


def pose_look(pyramid: Pyramid, square: Square) -> tuple[float, np.ndarray]:
    """How sure the pose network is of a person in the square, and where (256, 256) float32."""
    net: Network = network(POSE)
    _, presence, logits, *_ = net.run(_scaled(pyramid.cut(square, net.width)))
    return float(presence[0, 0]), 1 / (1 + np.exp(-np.clip(logits[0, :, :, 0], -MAX_LOGIT, MAX_LOGIT)))


def round_body(person: Person) -> Square:
    """The square round a person's body, turned as the body is."""
    radius = max(person.radius_px, 1.0)
    up = ((person.top_px[0] - person.hips_px[0]) / radius, (person.top_px[1] - person.hips_px[1]) / radius)
    return Square(person.hips_px, 2 * BODY_MARGIN * radius, up)


def _scaled(picture: np.ndarray) -> np.ndarray:
    return np.multiply(picture[None], np.float32(1 / 255), dtype=np.float32)
