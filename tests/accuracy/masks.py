"""How well person masks fit: against true masks, and against hand-marked boxes of real frames.

As a script it prints the tables of docs/decisions/0003-segmenter-default.md; SAMPLE is a folder that
`tailwatch sample` made: PYTHONPATH=. python tests/accuracy/masks.py [SAMPLE]
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

from components.core.tables import read_csv
from components.segmentation.base import (
    MotionSettings,
    SegmentSettings,
    SelfieSettings,
    build_segmenter,
)
from components.simulation.truth import MASK_SCALE, read_truth
from components.video.clip_read import Frames
from components.video.reader import read_clip
from components.video.sampling import Sampling
from pipelines.sample import truth_folder

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


def points_covered(mask: np.ndarray, points_px: np.ndarray) -> float:
    """The share of points (N, 2), x and y inside the frame, that lie on a mask (H, W)."""
    columns, rows = np.round(points_px).astype(int).T
    return float(mask[rows, columns].mean())


def _measure_sample(folder: Path) -> Iterator[str]:
    """The options against the truth of the first clip of every film."""
    table = read_csv(folder / "clips.csv", ("clip", "source"))
    first = {row["source"]: folder / row["clip"] for row in reversed(table)}
    films = {path: read_clip(path, SAMPLINGS).frames for path in first.values()}
    yield "\n| option | IoU | recall | precision | landmarks kept | ms |\n|---|---|---|---|---|---|\n"
    for name, settings in OPTIONS.items():
        segmenter = build_segmenter(settings)
        begin = time.process_time()
        masks = {
            path: segmenter.masks(film[FRAMES].pixels, film[FRAMES].times_s, film[DENSE])
            for path, film in films.items()
        }
        ms = (time.process_time() - begin) / sum(map(len, masks.values())) * 1000
        scores, kept = _against_truth(folder, films, masks)
        cells = f"{scores.iou:.2f} | {scores.recall:.2f} | {scores.precision:.2f} | {kept:.3f}"
        yield f"| {name} | {cells} | {ms:.0f} |\n"


def _against_truth(
    folder: Path, films: Mapping[Path, Mapping[str, Frames]], masks: Mapping[Path, np.ndarray]
) -> tuple[MaskScores, float]:
    """Scores over all films' pixels, and the share of visible landmarks that the masks keep."""
    found, true, kept = [], [], []
    for path, film in films.items():
        truth = read_truth(truth_folder(folder) / f"{path.stem}.npz")
        found.append(masks[path][:, ::MASK_SCALE, ::MASK_SCALE])
        true.append(truth.masks[film[FRAMES].indices].any(axis=1))
        for mask, k in zip(masks[path], film[FRAMES].indices, strict=True):
            kept.append(points_covered(mask, truth.points_px[k][~truth.hidden[k]]))
    return mask_scores(np.concatenate(found), np.concatenate(true)), float(np.mean(kept))


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
    for sample in sys.argv[1:]:
        sys.stdout.writelines(_measure_sample(Path(sample)))
