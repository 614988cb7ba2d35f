"""Every segmenter, detector and landmark predictor on the marked frames of the real clips, as tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from components.core.parallel import map_items
from components.faces.measure import measure_clip
from components.faces.settings import FeaturizeSettings
from components.segmentation.base import SegmentSettings, build_segmenter
from tests.accuracy.faces import LARGE_PX, FoundFaces, found_faces
from tests.accuracy.marks import DENSE, FRAMES, Mark, by_clip, place, read_marked_clip
from tests.accuracy.masks import NEARLY_ALL, OPTIONS, SEEN, WHOLE, FrameScores, frame_scores
from tests.accuracy.table import count, row, share, table

PAIRS = {
    "**blazeface + mediapipe**": FeaturizeSettings(),
    "blazeface + dlib68": FeaturizeSettings(landmarks="dlib68"),
    "dlib_hog + mediapipe": FeaturizeSettings(detector="dlib_hog"),
    "dlib_hog + dlib68": FeaturizeSettings(detector="dlib_hog", landmarks="dlib68"),
}
USES = ("choose", "report")
CLIPS_APART = ("people/two-people-walking.mp4", "people/two-people-turning-heads.mp4")


@dataclass(frozen=True)
class ClipResult:
    """One clip's marked frames.

    Attributes:
        marks: of the frames, in the order of all lists here.
        scores: of the masks, by segmenter.
        by_segmenter: faces that the default detector found with each segmenter's masks.
        by_detector: faces that each detector and landmark predictor found with the default's masks.
    """

    marks: Sequence[Mark]
    scores: Mapping[str, Sequence[FrameScores]]
    by_segmenter: Mapping[str, Sequence[FoundFaces]]
    by_detector: Mapping[str, Sequence[FoundFaces]]


def measure_clips(
    data: Path,
    marks: Sequence[Mark],
    options: Mapping[str, SegmentSettings],
    pairs: Mapping[str, FeaturizeSettings],
) -> list[ClipResult]:
    """Everything about the marked clips, over all cores."""
    work = partial(_measure, data=data, options=dict(options), pairs=dict(pairs))
    return list(map_items(work, list(by_clip(marks).items()), label="real clips"))


def _measure(
    clip: tuple[str, list[Mark]],
    data: Path,
    options: Mapping[str, SegmentSettings],
    pairs: Mapping[str, FeaturizeSettings],
) -> ClipResult:
    name, marks = clip
    frames = read_marked_clip(data, name, any(option.dense_sampling() for option in options.values()))
    kept = frames[FRAMES]
    places = [place(mark, kept) for mark in marks]

    def found(masks: np.ndarray, settings: FeaturizeSettings) -> list[FoundFaces]:
        boxes = measure_clip(kept.pixels, masks, settings).boxes
        return [found_faces(boxes[k], mark) for k, mark in zip(places, marks, strict=True)]

    masks = {
        option: build_segmenter(settings).masks(kept.pixels, kept.times_s, frames.get(DENSE))
        for option, settings in options.items()
    }
    default = next(masks[option] for option, settings in options.items() if settings == SegmentSettings())
    return ClipResult(
        marks,
        {
            option: [frame_scores(of[k], mark) for k, mark in zip(places, marks, strict=True)]
            for option, of in masks.items()
        },
        {option: found(of, FeaturizeSettings()) for option, of in masks.items()},
        {pair: found(default, settings) for pair, settings in pairs.items()},
    )


def outline_table(clips: Sequence[ClipResult]) -> str:
    """Masks against the outlines of near persons."""
    rows = []
    for use, folder in (*_sides(clips), *((use, "") for use in USES)):
        for option in OPTIONS:
            scores = [s for s in _of(clips, use, folder, option) if s.outlined]
            persons = [person for s in scores for person in s.persons]
            masks = [s.outlined for s in scores if s.outlined]
            recalls = [mask.recall for mask in masks]
            rows.append(
                row(
                    use,
                    folder or "both",
                    option,
                    len(scores),
                    share(np.mean(recalls)),
                    share(min(recalls)),
                    share(np.mean(persons)),
                    count(np.array(persons) >= NEARLY_ALL),
                    share(np.nanmean([mask.precision for mask in masks])),
                    share(np.mean([mask.iou for mask in masks])),
                )
            )
    names = (
        "use | clips | masks | frames | recall | least | recall of a person | whole persons | precision | IoU"
    )
    return table(names, rows)


def box_table(clips: Sequence[ClipResult]) -> str:
    """Masks against boxes, and the faces that were then found."""
    rows = []
    for use, folder in _sides(clips):
        for option in OPTIONS:
            scores = _of(clips, use, folder, option)
            faces = [f for clip in _chosen(clips, use, folder) for f in clip.by_segmenter[option]]
            near, far, kept = (
                np.array([value for s in scores for value in getattr(s, name)])
                for name in ("near", "far", "faces")
            )
            out = [s.outside for s in scores]
            empty = [s.empty for s in scores if s.empty is not None]
            rows.append(
                row(
                    use,
                    folder,
                    option,
                    len(scores),
                    f"{_mean(near)}, {count(near > SEEN)}",
                    f"{_mean(far)}, {count(far > SEEN)}" if len(far) else "-",
                    count(kept > WHOLE),
                    _found(faces),
                    sum(face.false for face in faces),
                    f"{np.mean(out):.3f}, at most {max(out):.2f}",
                    ", ".join(f"{value:.3f}" for value in empty) or "-",
                )
            )
    names = (
        "use | clips | masks | frames | near | far | faces kept | faces found | false | outside | no person"
    )
    return table(names, rows)


def detector_table(clips: Sequence[ClipResult]) -> str:
    """Faces found by each detector and landmark predictor."""
    rows = []
    for use in USES:
        for pair in PAIRS:
            faces = [f for clip in _chosen(clips, use) for f in clip.by_detector[pair]]
            large = [hit for face in faces for hit in face.large]
            small = [hit for face in faces for hit in face.small]
            rows.append(row(use, pair, count(large), count(small), sum(face.false for face in faces)))
    for name in CLIPS_APART:
        for pair in PAIRS:
            faces = [f for clip in clips if clip.marks[0]["clip"] == name for f in clip.by_detector[pair]]
            large = [hit for face in faces for hit in face.large]
            small = [hit for face in faces for hit in face.small]
            rows.append(row(name, pair, count(large), count(small), sum(face.false for face in faces)))
    return table(f"frames | found by | {LARGE_PX} px and more | smaller | false", rows)


def _sides(clips: Sequence[ClipResult]) -> Iterator[tuple[str, str]]:
    folders = sorted({clip.marks[0]["clip"].split("/")[0] for clip in clips})
    return ((use, folder) for use in USES for folder in folders)


def _chosen(clips: Sequence[ClipResult], use: str, folder: str = "") -> list[ClipResult]:
    return [c for c in clips if c.marks[0]["use"] == use and c.marks[0]["clip"].startswith(folder)]


def _of(clips: Sequence[ClipResult], use: str, folder: str, option: str) -> list[FrameScores]:
    return [scores for clip in _chosen(clips, use, folder) for scores in clip.scores[option]]


def _found(faces: Sequence[FoundFaces]) -> str:
    return count([hit for face in faces for hit in (*face.large, *face.small)])


def _mean(values: np.ndarray) -> str:
    return share(values.mean()) if len(values) else "-"
