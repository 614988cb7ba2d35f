"""The 29 numbers of each frame of one clip, with what was found and how.

Source: paper 000, III-D to III-F. It does not speak of frames with fewer than two faces: where else one is
looked for that the cut frame does not show, and that a lost one is followed, is ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from components.faces.boxes import Box, area, side, square
from components.faces.build import FaceDetector, Landmarker, build_detector, build_landmarker
from components.faces.face import Face, is_same, join
from components.faces.head_pose import estimate
from components.faces.heads import head_boxes
from components.faces.settings import FeaturizeSettings
from components.faces.slots import assign

How = Literal["", "segmented", "head", "frame", "followed"]
MAX_FACES = 6  # a frame's largest; the front two are among them
FOLLOW_SCALE = 5.0  # the region searched for a lost face, in its sides
POINTS = 6
COLUMNS = 29


@dataclass(frozen=True)
class Measured:
    """One clip's measurements; NaN and "" where a person was not found.

    Attributes:
        numbers: (T, 29) float32, columns as components.features.columns says.
        found: (T, 2) text, how each person was found: cut from the background (`segmented`), inside a head
            box of the masks (`head`), in the frame as it was (`frame`), or near where another frame had
            the face (`followed`).
        boxes: (T, 2, 4) float32 xyxy in the frame's pixels.
        landmarks_px: (T, 2, 6, 2) float32 in the frame's pixels.
    """

    numbers: np.ndarray
    found: np.ndarray
    boxes: np.ndarray
    landmarks_px: np.ndarray


@dataclass(frozen=True)
class MarkedFace(Face):
    """A face with its six points."""

    points_px: np.ndarray
    how: How


def measure_clip(frames: np.ndarray, masks: np.ndarray | None, settings: FeaturizeSettings) -> Measured:
    """Measure the front two persons of a clip.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        masks: (T, H, W) bool, persons; None looks in the frames alone.
    """
    eye = _Eye(build_detector(settings), build_landmarker(settings), settings)
    faces = [eye.faces(frame, None if masks is None else masks[k]) for k, frame in enumerate(frames)]
    slots = assign(faces, settings.person_order)
    persons = [
        [None if k is None else seen[k] for k in pair] for seen, pair in zip(faces, slots, strict=True)
    ]
    _follow_lost(frames, persons, eye)
    return _table(persons, frames.shape[2], frames.shape[1], settings)


class _Eye:
    """Detector and landmark predictor together: looks at a frame until two faces are found."""

    def __init__(self, detector: FaceDetector, landmarker: Landmarker, settings: FeaturizeSettings) -> None:
        self._detector = detector
        self._landmarker = landmarker
        self._settings = settings

    def faces(self, frame: np.ndarray, mask: np.ndarray | None) -> list[MarkedFace]:
        """The faces of one frame, the largest first."""
        found: list[MarkedFace] = []
        for candidates, how in self._looks(frame, mask):
            new = [face for face in candidates if not any(is_same(face.box, other.box) for other in found)]
            found += self.marked(frame, new, how)
            if len(found) >= 2:
                break
        return sorted(found, key=lambda face: -area(face.box))[:MAX_FACES]

    def near(self, frame: np.ndarray, box: Box) -> list[MarkedFace]:
        """Faces about where one must be."""
        near = self._detector.detect_near(frame, square(box, FOLLOW_SCALE), expected=True)
        return self.marked(frame, near, "followed")

    def marked(self, frame: np.ndarray, faces: list[Face], how: How) -> list[MarkedFace]:
        """Those of the faces in which the landmark predictor sees a face."""
        large = [face for face in faces if side(face.box) >= self._settings.smallest_face_px][:MAX_FACES]
        points = [self._landmarker.landmarks_px(frame, face.box) for face in large]
        return [
            MarkedFace(f.box, f.score, p, how) for f, p in zip(large, points, strict=True) if p is not None
        ]

    def _looks(self, frame: np.ndarray, mask: np.ndarray | None) -> Iterator[tuple[list[Face], How]]:
        detector, look_in = self._detector, self._settings.look_in
        if mask is None or look_in == "frame":
            yield detector.detect(frame), "frame"
            return
        segmented = cv2.copyTo(frame, mask.view(np.uint8))
        if look_in == "segmented":
            yield detector.detect(segmented), "segmented"
            return
        yield detector.glance(segmented), "segmented"
        yield join([face for box in head_boxes(mask) for face in detector.detect_near(frame, box)]), "head"
        yield detector.glance(frame) if mask.any() else detector.detect(frame), "frame"


def _follow_lost(frames: np.ndarray, persons: list[list[MarkedFace | None]], eye: _Eye) -> None:
    """Look again for a person that was seen in another frame of the clip, near the nearest such place."""
    seen = [[k for k, pair in enumerate(persons) if pair[slot]] for slot in (0, 1)]
    for k, pair in enumerate(persons):
        for slot in (0, 1):
            if pair[slot] is None and seen[slot]:
                nearest = persons[min(seen[slot], key=lambda other: abs(other - k))][slot]
                other = pair[1 - slot]
                pair[slot] = _best_near(frames[k], nearest, other, eye)


def _best_near(
    frame: np.ndarray, nearest: MarkedFace | None, other: MarkedFace | None, eye: _Eye
) -> MarkedFace | None:
    faces = eye.near(frame, nearest.box) if nearest else []
    return next((face for face in faces if other is None or not is_same(face.box, other.box)), None)


def _table(
    persons: list[list[MarkedFace | None]], width: int, height: int, settings: FeaturizeSettings
) -> Measured:
    count = len(persons)
    numbers = np.full((count, COLUMNS), np.nan)
    found = np.full((count, 2), "", dtype="<U9")
    boxes = np.full((count, 2, 4), np.nan, np.float32)
    points = np.full((count, 2, POINTS, 2), np.nan)
    scale = settings.reference_width / width if settings.reference_width else 1.0
    for k, pair in enumerate(persons):
        for slot, face in enumerate(pair):
            if face is None:
                continue
            pose = estimate(face.points_px, width, height, settings.head_pose, settings.nose_index_1based)
            found[k, slot], boxes[k, slot], points[k, slot] = face.how, face.box, face.points_px
            numbers[k, 12 * slot : 12 * slot + 12] = face.points_px.ravel() * scale
            numbers[k, 24 + 2 * slot : 26 + 2 * slot] = pose.yaw, pose.pitch
    numbers[:, 28] = np.hypot(*(points[:, 0, 0] - points[:, 1, 0]).T) * scale
    return Measured(numbers.astype(np.float32), found, boxes, points.astype(np.float32))
