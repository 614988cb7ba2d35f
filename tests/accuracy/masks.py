"""How well person masks fit: against true masks, outlines, and boxes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.segmentation.base import MotionSettings, SegmentSettings, SelfieSettings
from tests.accuracy.marks import DENSE, Mark, inside, outlines, untold

SEEN = 0.25  # of a person's box: standing people fill about half of theirs
WHOLE = 0.8  # of a face's box
NEARLY_ALL = 0.95  # of a person's pixels
OPTIONS = {
    "none": SegmentSettings("none"),
    "selfie, frame": SegmentSettings("selfie", selfie=SelfieSettings("frame")),
    "selfie, large tiles alone": SegmentSettings(
        "selfie", selfie=SelfieSettings("tiles", tile_shares=(0.63,))
    ),
    "**selfie, tiles**": SegmentSettings(),
    "selfie, people": SegmentSettings("selfie", selfie=SelfieSettings("people")),
    "motion, knn": SegmentSettings("motion", motion=MotionSettings(DENSE, "knn")),
    "motion, mog2": SegmentSettings("motion", motion=MotionSettings(DENSE, "mog2")),
}


@dataclass(frozen=True)
class MaskScores:
    """Shares in [0, 1]; NaN where there is nothing to share.

    Attributes:
        iou: of the two masks.
        recall: of the true pixels, those that were found.
        precision: of the found pixels, those that are true.
    """

    iou: float
    recall: float
    precision: float


@dataclass(frozen=True)
class FrameScores:
    """What the marks of one frame say of its mask; shares in [0, 1].

    Attributes:
        outlined: pixels against the outlines of near persons; None without outlines.
        persons: of each outlined person, the share that was found.
        near: of each near person's box, the share that the mask covers.
        far: the same for far persons.
        faces: the same for faces.
        outside: of the frame, what is masked outside all persons' boxes.
        empty: of a frame without persons, what is masked; None with persons.
    """

    outlined: MaskScores | None
    persons: tuple[float, ...]
    near: tuple[float, ...]
    far: tuple[float, ...]
    faces: tuple[float, ...]
    outside: float
    empty: float | None


def mask_scores(masks: np.ndarray, truth_masks: np.ndarray) -> MaskScores:
    """Pixels of bool masks (T, H, W) against true ones, all frames together."""
    both = np.count_nonzero(masks & truth_masks)
    found, true = np.count_nonzero(masks), np.count_nonzero(truth_masks)
    return MaskScores(_share(both, found + true - both), _share(both, true), _share(both, found))


def frame_scores(mask: np.ndarray, mark: Mark) -> FrameScores:
    """A mask (H, W) against one frame's marks; crowds are neither hit nor miss."""
    drawn = outlines(mark)
    told = [person for person in mark["persons"] if not person.get("crowd")]
    return FrameScores(
        outlined=_outline_scores(mask, drawn, mark) if drawn else None,
        persons=tuple(float(mask[person].mean()) for person in drawn),
        near=covered(mask, [person["box"] for person in told if person["distance"] == "near"]),
        far=covered(mask, [person["box"] for person in told if person["distance"] == "far"]),
        faces=covered(mask, mark["faces"]),
        outside=outside(mask, [person["box"] for person in mark["persons"]]),
        empty=None if mark["persons"] else float(mask.mean()),
    )


def _outline_scores(mask: np.ndarray, drawn: Sequence[np.ndarray], mark: Mark) -> MaskScores:
    true = np.any(drawn, axis=0)
    return mask_scores(mask & (true | ~untold(mark)), true)


def covered(mask: np.ndarray, boxes: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """The share of each box that a mask (H, W) covers."""
    return tuple(float(mask[inside(box)].mean()) for box in boxes)


def outside(mask: np.ndarray, boxes: Sequence[Sequence[float]]) -> float:
    """The share of the frame that a mask (H, W) covers outside all boxes."""
    rest = mask.copy()
    for box in boxes:
        rest[inside(box)] = False
    return float(rest.mean())


def points_covered(mask: np.ndarray, points_px: np.ndarray) -> float:
    """The share of points (N, 2), x and y inside the frame, that lie on a mask (H, W)."""
    columns, rows = np.round(points_px).astype(int).T
    return float(mask[rows, columns].mean())


def _share(part: int, total: int) -> float:
    return part / total if total else float("nan")
