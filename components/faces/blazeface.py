"""The full-range face network of MediaPipe, with tiles for small faces.

Source: Bazarevsky et al., "BlazeFace" (2019), and the graph face_detection_full_range of MediaPipe 0.10.21.
Ours: the decoding, and the tiles.
"""

import cv2
import numpy as np

from components.core.litert import network
from components.core.weights import WEIGHTS
from components.faces.boxes import Box, Tile, clipped, moved, side, square
from components.faces.face import Face, is_same, join, weighted_nms
from components.faces.settings import FeaturizeSettings

WEIGHTS_NAME = "face_detection_full_range"
INPUT_PX = 192
ENOUGH = 2  # persons are measured
CLOSE_SCALE = 5.0  # sides of a face in a close look
CELLS = 48  # one anchor at the centre of each cell of a 48 x 48 grid
MAX_LOGIT = 60.0
EDGE = 0.02  # of a tile: a face nearer to an inner edge is cut, and a neighbouring tile sees all of it


class BlazeFace:
    """Finds faces in the whole frame, then in overlapping tiles until enough are found."""

    def __init__(self, settings: FeaturizeSettings) -> None:
        self._settings = settings.blazeface
        self._small_px = settings.small_face_px
        self._network = network(WEIGHTS_NAME)
        self._anchors = anchors()

    @staticmethod
    def weights_digests(_: FeaturizeSettings) -> dict[str, str]:
        """The network's digest."""
        return {WEIGHTS_NAME: WEIGHTS[WEIGHTS_NAME].sha256}

    def detect(self, frame: np.ndarray) -> list[Face]:
        """Faces in a frame (H, W, 3) uint8 RGB, the surest first."""
        height, width = frame.shape[:2]
        faces = self.glance(frame)
        for per_side in self._settings.tiles_per_side:
            if sum(face.score >= self._settings.sure_score for face in faces) >= ENOUGH:
                break
            for tile in tiles(width, height, per_side, self._settings.tile_overlap):
                faces = faces + self._nearer(frame, self.search(frame, tile))
            faces = join(faces)
        return [face for face in faces if self._counts(face)]

    def glance(self, frame: np.ndarray) -> list[Face]:
        """Faces in a frame, by one look at all of it."""
        height, width = frame.shape[:2]
        faces = self._nearer(frame, self.search(frame, (0, 0, width, height)))
        return [face for face in faces if self._counts(face)]

    def detect_near(self, frame: np.ndarray, region: Box, expected: bool = False) -> list[Face]:
        """Faces in one region of a frame, by one close look; where one is expected an unsure one counts."""
        tile = clipped(region, frame.shape[1], frame.shape[0])
        faces = self.search(frame, tile) if tile else []
        return [face for face in faces if expected or self._counts(face)]

    def _nearer(self, frame: np.ndarray, faces: list[Face]) -> list[Face]:
        """The same faces, the small ones in the better box of a closer look."""
        return join([self._nearer_one(frame, face) for face in faces])

    def _nearer_one(self, frame: np.ndarray, face: Face) -> Face:
        if side(face.box) >= self._settings.look_closer_px:
            return face
        tile = clipped(square(face.box, CLOSE_SCALE), frame.shape[1], frame.shape[0])
        close = self.search(frame, tile) if tile else []
        same = next((found for found in close if is_same(found.box, face.box)), None)
        return Face(same.box, max(same.score, face.score)) if same else face

    def search(self, frame: np.ndarray, tile: Tile) -> list[Face]:
        """Faces wholly inside a part of a frame, by one run of the network, in the frame's pixels."""
        left, top, right, bottom = tile
        part = frame[top:bottom, left:right]
        if not part.any():  # all black: nobody was left standing there
            return []
        values, scale, pad = letterbox(part)
        regressors, logits = self._network.run(values)
        faces = self._decode(regressors[0], logits[0, :, 0], scale, pad)
        height, width = frame.shape[:2]
        return [
            Face(box, f.score)
            for f in faces
            if not is_cut(box := moved(f.box, left, top), tile, width, height)
        ]

    def _counts(self, face: Face) -> bool:
        return face.score >= self._settings.sure_score or side(face.box) >= self._small_px

    def _decode(
        self, regressors: np.ndarray, logits: np.ndarray, scale: float, pad: tuple[int, int]
    ) -> list[Face]:
        scores = 1 / (1 + np.exp(-np.clip(logits, -MAX_LOGIT, MAX_LOGIT)))
        likely = np.flatnonzero(scores >= self._settings.min_score)
        centres = regressors[likely, :2] + self._anchors[likely] * INPUT_PX
        halves = regressors[likely, 2:4] / 2
        boxes = (np.hstack([centres - halves, centres + halves]) - np.array(pad * 2)) / scale
        return weighted_nms(boxes, scores[likely])


def anchors() -> np.ndarray:
    """(2304, 2) centres (x, y) of the cells, 0 to 1, row by row."""
    ends = (np.arange(CELLS) + 0.5) / CELLS
    return np.stack(np.meshgrid(ends, ends), axis=-1).reshape(-1, 2)


def letterbox(picture: np.ndarray) -> tuple[np.ndarray, float, tuple[int, int]]:
    """A picture (H, W, 3) uint8 in the network's square, bars of black: (1, 192, 192, 3) float32 in -1..1.

    Returns:
        The values, network pixels per picture pixel, and the bars' (left, top) in network pixels.
    """
    height, width = picture.shape[:2]
    scale = INPUT_PX / max(height, width)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (INPUT_PX - inner[0]) // 2, (INPUT_PX - inner[1]) // 2
    values = np.full((1, INPUT_PX, INPUT_PX, 3), -1, np.float32)
    values[0, top : top + inner[1], left : left + inner[0]] = small / np.float32(127.5) - 1
    return values, scale, (left, top)


def tiles(width: int, height: int, per_side: int, overlap: float) -> list[Tile]:
    """Overlapping squares that cover a frame, about `per_side` of them along its shorter side."""
    short = min(width, height)
    side = round(short / (per_side - (per_side - 1) * overlap))
    return [
        (left, top, min(left + side, width), min(top + side, height))
        for top in _starts(height, side, overlap)
        for left in _starts(width, side, overlap)
    ]


def _starts(length: int, side: int, overlap: float) -> list[int]:
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side * (1 - overlap)) - 1e-6)) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def is_cut(box: Box, tile: Tile, width: int, height: int) -> bool:
    """Whether a face in a tile reaches over an edge that is not an edge of the frame."""
    margin = EDGE * max(tile[2] - tile[0], tile[3] - tile[1])
    left, top = box[0] < tile[0] + margin and tile[0] > 0, box[1] < tile[1] + margin and tile[1] > 0
    right, bottom = (
        box[2] > tile[2] - margin and tile[2] < width,
        box[3] > tile[3] - margin and tile[3] < height,
    )
    return left or top or right or bottom
