"""The report's pictures: which clips are shown, and their strips of frames, faces made unrecognisable."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from markupsafe import Markup

from components.core.errors import BadDataError, TailwatchError
from components.core.files import atomic_path
from components.core.parallel import map_items
from components.datasets.clips import Clip, Label
from components.features.chain import ClipChain
from components.serving.blurring import (
    FindFaces,
    all_detectors,
    blur,
    default_detectors,
    looking_closer,
    paint,
)
from components.serving.overlay import measured_overlay, readings
from components.serving.pictures import ClipPictures, frame_cells, segmented_cells, strip
from pipelines.artifacts import Project, read_clips
from pipelines.clip_names import picture_name

log = logging.getLogger("tailwatch")

CELL_PX = 320
FRAMES_SHOWN = 5
JPEG_QUALITY = 88
LOOKS_AT_JPEG = 6  # at which what is still taken for a face is blurred, then painted over
Pixels = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Sheet:
    """One clip's pictures.

    Attributes:
        frames, segmented: paths from the page, empty where there is none.
        overlay: SVG of what was measured, for over the frames.
        columns: per frame: `time_s`, and the angles and distance that were measured.
        reason: why there is no picture.
    """

    frames: str = ""
    segmented: str = ""
    overlay: Markup = field(default_factory=Markup)
    columns: list[dict[str, float | None]] = field(default_factory=list)
    reason: str = ""


def wanted_clips(labels: Mapping[str, Label], per_class: int) -> dict[str, str]:
    """Clips for contact sheets with their class: so many of each, of different sources as far as they go."""
    shown: dict[str, str] = {}
    for name in sorted({label.label for label in labels.values()}):
        used = sorted(clip_id for clip_id, label in labels.items() if label.label == name and label.holdout)
        by_source: dict[str, list[str]] = {}
        for clip_id in used:
            by_source.setdefault(labels[clip_id].source, []).append(clip_id)
        turns = sorted((k, source) for source, clips in by_source.items() for k in range(len(clips)))
        shown |= {by_source[source][k]: name for k, source in turns[:per_class]}
    return shown


def draw_sheets(
    project: Project, full: Sequence[str] | Mapping[str, str], plain: Sequence[str]
) -> dict[str, Sheet]:
    """Draw clips anew into reports/pictures.

    Args:
        full: clip_ids shown with the people cut out, too.
        plain: clip_ids shown as frames with what was measured.

    Returns:
        Their sheets by clip_id.
    """
    folder = project.root / "reports" / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    clips = {clip.clip_id: clip for clip in read_clips(project)}
    draw = partial(_sheet, project.chain, project.params.report.blur_faces, folder, frozenset(full))
    wanted = [clips[clip_id] for clip_id in (*full, *plain) if clip_id in clips]
    return dict(zip((clip.clip_id for clip in wanted), map_items(draw, wanted, label="drawn"), strict=True))


def save_middle_frame(project: Project, clip_id: str) -> tuple[str, tuple[int, int]]:
    """Draw a clip's middle frame into reports/pictures: its path from the page, its width and height.

    Raises:
        TailwatchError: the clip is unknown or cannot be read.
    """
    clips = [clip for clip in read_clips(project) if clip.clip_id == clip_id]
    if not clips:
        raise BadDataError(f"{clip_id} is unknown", wanted="a clip of ingest", remedy="run `dvc repro`")
    pictures, _ = _pictures(project.chain, clips[0], 1)
    find = all_detectors() if project.params.report.blur_faces else None
    (cell,) = frame_cells(pictures, CELL_PX, find)
    path = project.root / "reports" / "pictures" / f"{picture_name(clip_id)}-middle.jpg"
    return _save_strip(path, [cell], find), (cell.shape[1], cell.shape[0])


def save_picture(path: Path, picture: Pixels, find: FindFaces | None) -> None:
    """Write a picture (H, W, 3) uint8 RGB; joining and compressing cells must not bring a face back."""
    encoded = _encoded(picture) if find is None else _encoded_faceless(picture, find)
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded.tobytes())


def _encoded_faceless(picture: Pixels, find: FindFaces) -> Pixels:
    """A JPEG in which no face is found, enlarged neither; an even grey if all else fails."""
    find = looking_closer(find, default_detectors())
    encoded = _encoded(picture)
    for look in range(LOOKS_AT_JPEG):
        decoded = _decoded(encoded)
        if not (found := find(decoded)):
            return encoded
        softer = paint(decoded, found, 1 + look / 2) if look else blur(decoded, dict.fromkeys(found, 1))
        encoded = _encoded(softer)
    return _encoded(np.full_like(picture, 128)) if find(_decoded(encoded)) else encoded


def _sheet(chain: ClipChain, blur: bool, folder: Path, full: frozenset[str], clip: Clip) -> Sheet:
    try:
        pictures, times_s = _pictures(chain, clip)
    except TailwatchError as error:
        log.warning("no picture of %s: %s", clip.clip_id, error)
        return Sheet(reason=str(error))
    name = picture_name(clip.clip_id)
    find = all_detectors() if blur else None
    cells = frame_cells(pictures, CELL_PX, find)
    frames = _save_strip(folder / f"{name}-frames.jpg", cells, find)
    segmented = ""
    if clip.clip_id in full and pictures.masks is not None:
        people = segmented_cells(cells, pictures.masks, find)
        segmented = _save_strip(folder / f"{name}-people.jpg", people, find)
    columns = [{"time_s": float(time), **readings(pictures, k)} for k, time in enumerate(times_s)]
    return Sheet(frames, segmented, Markup(measured_overlay(pictures, CELL_PX)), columns)  # noqa: S704


def _save_strip(path: Path, cells: Sequence[Pixels], find: FindFaces | None) -> str:
    """Its path from the page."""
    save_picture(path, strip(cells), find)
    return f"{path.parent.name}/{path.name}"


def _pictures(chain: ClipChain, clip: Clip, shown: int = FRAMES_SHOWN) -> tuple[ClipPictures, Pixels]:
    """So many frames of a clip at most, evenly spaced, or the middle one; their times (T,) in seconds."""
    stored, measured = chain.frames(clip, chain.settings.featurize.sampling), chain.measurements(clip)
    count = len(stored["times_s"])
    places = np.unique(np.linspace(0, count - 1, min(count, shown)).round().astype(int))
    places = places if shown > 1 else np.array([count // 2])
    arrays = (measured[name][places] for name in ("boxes", "landmarks_px", "numbers"))
    masks = chain.person_masks(clip)[places]
    return ClipPictures(stored["frames"][places], masks, *arrays), stored["times_s"][places]


def _decoded(encoded: Pixels) -> Pixels:
    bgr = cast(Pixels, cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def _encoded(picture: Pixels) -> Pixels:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
