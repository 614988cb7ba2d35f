"""The frames of real clips that were marked by hand, and what the marks say of a frame's pixels.

tests/data/README.md explains the marks; boxes are xyxy pixels, end exclusive.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from skimage import draw

from components.video.clip_read import Frames
from components.video.reader import read_clip
from components.video.sampling import Sampling

Mark = Mapping[str, Any]
PROJECT = Path(__file__).parents[2]
DATA = PROJECT.parent / "shared" / "data"
FRAMES, DENSE = "uniform5", "dense"
SAMPLINGS = {
    FRAMES: Sampling("uniform", frames=5),
    DENSE: Sampling("dense", per_second=12.0, max_side=320),
}


def read_marks() -> list[Mark]:
    """All marked frames."""
    return list(json.loads((PROJECT / "tests/data/real_frames.json").read_text())["frames"])


def by_clip(marks: Iterable[Mark]) -> dict[str, list[Mark]]:
    """The marks of each clip."""
    clips: dict[str, list[Mark]] = {}
    for mark in marks:
        clips.setdefault(mark["clip"], []).append(mark)
    return clips


def read_marked_clip(data: Path, clip: str, dense: bool = True) -> Mapping[str, Frames]:
    """The five frames of a clip, the marked ones among them, and its dense frames."""
    wanted = SAMPLINGS if dense else {FRAMES: SAMPLINGS[FRAMES]}
    return read_clip(data / clip, wanted).frames


def place(mark: Mark, frames: Frames) -> int:
    """Where the marked frame lies among those that were kept."""
    return int(np.flatnonzero(frames.indices == mark["frame"])[0])


def inside(box: Sequence[float]) -> tuple[slice, slice]:
    """Rows and columns of a box."""
    left, top, right, bottom = (round(edge) for edge in box)
    return slice(top, bottom), slice(left, right)


def outlines(mark: Mark) -> list[np.ndarray]:
    """A mask bool (H, W) for each outlined person."""
    return [_drawn(person["outline"], mark) for person in mark["persons"] if "outline" in person]


def untold(mark: Mark) -> np.ndarray:
    """Pixels bool (H, W) in boxes of persons who have no outline: of these nothing is known."""
    pixels = np.zeros((mark["height"], mark["width"]), bool)
    for person in mark["persons"]:
        if "outline" not in person:
            pixels[inside(person["box"])] = True
    return pixels


def _drawn(polygons: Sequence[Sequence[Sequence[float]]], mark: Mark) -> np.ndarray:
    """Pixels whose centres lie in one of the polygons; corners are counted from the frame's corner."""
    drawn = np.zeros((mark["height"], mark["width"]), bool)
    for polygon in polygons:
        columns, rows = np.array(polygon, float).T - 0.5
        drawn[draw.polygon(rows, columns, drawn.shape)] = True
    return drawn
