"""How well person masks fit: against true masks, and against hand-marked boxes of real frames.

As a script it prints the table of docs/decisions/0003-segmenter-default.md: python tests/accuracy/masks.py
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from components.segmentation.base import (
    MotionSettings,
    SegmentSettings,
    SelfieSettings,
    build_segmenter,
)
from components.video.clip_read import Frames
from components.video.reader import read_clip
from components.video.sampling import Sampling

SEEN = 0.25  # of a person's box: standing people fill about half of theirs
WHOLE = 0.8  # of a face's box
DENSE = "dense"
FRAMES = "uniform5"
SAMPLINGS = {FRAMES: Sampling("uniform", frames=5), DENSE: Sampling("dense", per_second=12.0, max_side=320)}
OPTIONS = {
    "none": SegmentSettings("none"),
    "selfie, frame": SegmentSettings("selfie", selfie=SelfieSettings("frame")),
    "selfie, tiles 0.6": SegmentSettings("selfie", selfie=SelfieSettings("tiles", tile_shares=(0.6,))),
    "selfie, tiles 0.6 and 0.4": SegmentSettings("selfie", selfie=SelfieSettings("tiles")),
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


def mask_scores(masks: np.ndarray, truth_masks: np.ndarray) -> MaskScores:
    """Pixels of bool masks (T, H, W) against true ones, all frames together."""
    both = np.count_nonzero(masks & truth_masks)
    found, true = np.count_nonzero(masks), np.count_nonzero(truth_masks)
    return MaskScores(_share(both, found + true - both), _share(both, true), _share(both, found))


def covered(mask: np.ndarray, boxes: Sequence[Sequence[float]]) -> list[float]:
    """The share of each box (xyxy pixels, end exclusive) that a mask (H, W) covers."""
    return [float(mask[_inside(box)].mean()) for box in boxes]


def outside(mask: np.ndarray, boxes: Sequence[Sequence[float]]) -> float:
    """The share of the frame that a mask (H, W) covers outside all boxes."""
    rest = mask.copy()
    for box in boxes:
        rest[_inside(box)] = False
    return float(rest.mean())


def box_table(marks: Sequence[Mapping[str, Any]], masks: Sequence[np.ndarray]) -> dict[str, str]:
    """Hand-marked frames against masks, as the cells of a table's row."""
    shares: dict[str, list[float]] = {"near": [], "far": [], "face": [], "outside": [], "empty": []}
    for mark, mask in zip(marks, masks, strict=True):
        told = [person for person in mark["persons"] if not person.get("crowd")]
        for person, share in zip(told, covered(mask, [person["box"] for person in told]), strict=True):
            shares[person["distance"]].append(share)
        shares["face"] += covered(mask, mark["faces"])
        shares["outside"].append(outside(mask, [person["box"] for person in mark["persons"]]))
        shares["empty"] += [] if mark["persons"] else [float(mask.mean())]
    return {name: _cell(name, np.array(values)) for name, values in shares.items()}


def _cell(name: str, values: np.ndarray) -> str:
    if not len(values):
        return "-"
    if name in ("outside", "empty"):
        return f"{values.mean():.3f}, at most {values.max():.2f}"
    limit = WHOLE if name == "face" else SEEN
    return f"{values.mean():.2f}, {np.count_nonzero(values > limit)} of {len(values)}"


def _share(part: int, total: int) -> float:
    return part / total if total else float("nan")


def _inside(box: Sequence[float]) -> tuple[slice, slice]:
    left, top, right, bottom = (round(edge) for edge in box)
    return slice(top, bottom), slice(left, right)


def _measure(data: Path, marks: list[dict[str, Any]]) -> Iterator[str]:
    clips = {mark["clip"]: read_clip(data / mark["clip"], SAMPLINGS).frames for mark in marks}
    yield "| option | near | far | faces | outside | no person | ms |\n|---|---|---|---|---|---|---|\n"
    for folder in sorted({mark["clip"].split("/")[0] for mark in marks}):
        chosen = [mark for mark in marks if mark["clip"].startswith(folder)]
        for name, settings in OPTIONS.items():
            masks, ms = _masks(settings, clips, chosen)
            row = " | ".join(box_table(chosen, masks).values())
            yield f"| {folder}: {name} | {row} | {ms:.0f} |\n"


def _masks(
    settings: SegmentSettings, clips: Mapping[str, Mapping[str, Frames]], marks: list[dict[str, Any]]
) -> tuple[list[np.ndarray], float]:
    """The masks of the marked frames, and milliseconds of processor time per frame."""
    segmenter = build_segmenter(settings)
    begin = time.process_time()
    masks = []
    for mark in marks:
        frames = clips[mark["clip"]]
        kept = frames[FRAMES]
        k = int(np.flatnonzero(kept.indices == mark["frame"])[0])
        masks.append(segmenter.masks(kept.pixels[k : k + 1], kept.times_s[k : k + 1], frames[DENSE])[0])
    return masks, (time.process_time() - begin) / len(marks) * 1000


if __name__ == "__main__":
    cv2.setNumThreads(1)
    project = Path(__file__).parents[2]
    marked = json.loads((project / "tests/data/real_frames.json").read_text())["frames"]
    sys.stdout.writelines(_measure(project.parent / "shared" / "data", marked))
