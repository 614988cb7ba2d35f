"""Which marked faces were found, and which found ones are none; and simulated faces against their truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.faces.boxes import Box, area, centre, side
from components.faces.measure import Measured
from components.simulation.truth import Truth
from tests.accuracy.marks import Mark

WANTED = 2  # persons are measured
LARGE_PX = 40
ALIKE = (0.4, 2.0)  # a found box's side (brows to chin) over the marked height (hairline to chin)
NEAR_NOSE = 0.5  # of the face's height: a found nose farther from the true one is of somebody else


@dataclass(frozen=True)
class FoundFaces:
    """One marked frame.

    Attributes:
        large: of the two largest marked faces, whether each of at least LARGE_PX was found.
        small: the same for smaller ones.
        false: found where no face was marked, not even an unclear one.
    """

    large: tuple[bool, ...]
    small: tuple[bool, ...]
    false: int


@dataclass(frozen=True)
class SimulatedFace:
    """One face of a simulated frame; errors are found minus true, NaN where no face was found.

    Attributes:
        person: film and place (near, far): whose constant is taken off.
        height_px: chin to hairline.
        yaw_deg: true.
        pitch_deg: true.
        yaw_error: degrees.
        pitch_error: degrees.
        points_error: mean distance of the six points, as a share of that between the outer eye corners.
        points_px: (6, 2) as found.
    """

    person: tuple[str, int]
    height_px: float
    yaw_deg: float
    pitch_deg: float
    yaw_error: float
    pitch_error: float
    points_error: float
    points_px: np.ndarray

    @property
    def is_found(self) -> bool:
        """Whether the detector and the landmark predictor found it."""
        return bool(np.isfinite(self.points_error))


@dataclass(frozen=True)
class Apart:
    """Two faces found in one frame: their distance, pixels, against the truth's.

    Attributes:
        error: as a share of the true distance.
        heights: the true distance in heights of the larger face.
    """

    error: float
    heights: float


def found_faces(boxes: np.ndarray, mark: Mark) -> FoundFaces:
    """Found boxes (2, 4), NaN where a person was not found, against a frame's marks."""
    found: list[Box] = [tuple(box) for box in boxes.tolist() if np.isfinite(box).all()]
    largest = sorted(mark["faces"], key=lambda box: -area(box))[:WANTED]
    hits = [(box[3] - box[1], any(_is_of(face, box) for face in found)) for box in largest]
    known = [*mark["faces"], *mark["unclear_faces"]]
    return FoundFaces(
        tuple(hit for height, hit in hits if height >= LARGE_PX),
        tuple(hit for height, hit in hits if height < LARGE_PX),
        sum(not any(_holds(box, face) for box in known) for face in found),
    )


def simulated_faces(
    measured: Measured, indices: np.ndarray, truth: Truth
) -> tuple[list[SimulatedFace], list[Apart], int]:
    """A clip's faces against its truth, the pairs' distances, and how many found faces are nobody's.

    Args:
        indices: (T,) of the measured frames in the clip.
    """
    faces, apart, false = [], [], 0
    for k, frame in enumerate(indices):
        slots = _slots(measured.landmarks_px[k, :, 0], truth, frame)
        false += int(np.isfinite(measured.boxes[k, :, 0]).sum()) - sum(slot is not None for slot in slots)
        faces += [_face(measured, k, truth, frame, person, slot) for person, slot in enumerate(slots)]
        if None not in slots:
            true = truth.distance_px[frame]
            error = abs(measured.numbers[k, 28] - true) / true
            apart.append(Apart(float(error), float(true / truth.face_height_px[frame].max())))
    return faces, apart, false


def _slots(noses_px: np.ndarray, truth: Truth, frame: int) -> list[int | None]:
    """For both true persons the slot in which each was found."""
    slots: list[int | None] = []
    for person in (0, 1):
        apart = np.hypot(*(noses_px - truth.points_px[frame, person, 0]).T)
        near = np.flatnonzero(apart < NEAR_NOSE * truth.face_height_px[frame, person])
        free = [int(slot) for slot in near if int(slot) not in slots]
        slots.append(min(free, key=lambda slot: apart[slot]) if free else None)
    return slots


def _face(
    measured: Measured, k: int, truth: Truth, frame: int, person: int, slot: int | None
) -> SimulatedFace:
    yaw, pitch, _ = truth.pose_deg[frame, person]
    true = truth.points_px[frame, person, :6]
    found = np.full((6, 2), np.nan) if slot is None else measured.landmarks_px[k, slot].astype(float)
    angles = np.full(2, np.nan) if slot is None else measured.numbers[k, 24 + 2 * slot : 26 + 2 * slot]
    return SimulatedFace(
        (truth.source, person),
        float(truth.face_height_px[frame, person]),
        float(yaw),
        float(pitch),
        float(angles[0] - yaw),
        float(angles[1] - pitch),
        float(np.hypot(*(found - true).T).mean() / np.hypot(*(true[3] - true[2]))),
        found,
    )


def _is_of(found: Box, marked: Sequence[float]) -> bool:
    share = side(found) / (marked[3] - marked[1])
    return _holds(marked, found) and ALIKE[0] < share < ALIKE[1]


def _holds(marked: Sequence[float], found: Box) -> bool:
    x, y = centre(found)
    return marked[0] <= x < marked[2] and marked[1] <= y < marked[3]
