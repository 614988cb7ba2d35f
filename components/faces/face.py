"""A found face, and joining what was found twice."""

from dataclasses import dataclass

import numpy as np

from components.faces.boxes import Box, area, iou, overlap

SAME_FACE_IOU = 0.3
SAME_FACE_INSIDE = 0.6


@dataclass(frozen=True)
class Face:
    """One face.

    Attributes:
        box: brows to chin.
        score: the detector's own, higher is surer.
    """

    box: Box
    score: float


def weighted_nms(boxes: np.ndarray, scores: np.ndarray) -> list[Face]:
    """Join overlapping boxes (N, 4) into their mean, weighted by their scores (N,); the surest face first.

    Source: Bazarevsky et al., "BlazeFace" (2019), section 3.3.
    """
    waiting = [Face(_box(boxes[k]), float(scores[k])) for k in np.argsort(-scores, kind="stable")]
    faces = []
    while waiting:
        best = waiting[0]
        same = [face for face in waiting if iou(best.box, face.box) > SAME_FACE_IOU]
        mean = np.average([face.box for face in same], axis=0, weights=[face.score for face in same])
        faces.append(Face(_box(mean), best.score))
        waiting = [face for face in waiting if face not in same]
    return faces


def join(faces: list[Face]) -> list[Face]:
    """Keep the surest of faces that several looks at one frame found; the surest first.

    Of two looks at one face the box inside the other is the same face too.
    """
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if not any(is_same(face.box, other.box) for other in kept):
            kept.append(face)
    return kept


def is_same(one: Box, other: Box) -> bool:
    """Whether two boxes must be of one face."""
    smaller = min(area(one), area(other))
    return iou(one, other) > SAME_FACE_IOU or (
        smaller > 0 and overlap(one, other) / smaller > SAME_FACE_INSIDE
    )


def _box(edges: np.ndarray) -> Box:
    left, top, right, bottom = (float(edge) for edge in edges)
    return left, top, right, bottom
