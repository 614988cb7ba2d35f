"""The default, and what it was chosen from, against the truth of simulated films, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from components.core.parallel import map_items
from components.core.tables import read_csv
from components.faces.measure import measure_clip
from components.faces.settings import FeaturizeSettings
from components.segmentation.base import SegmentSettings, build_segmenter
from components.simulation.truth import MASK_SCALE, Truth, read_truth
from components.video.clip_read import Frames
from components.video.reader import read_clip
from pipelines.sample import truth_folder
from tests.accuracy.faces import Apart, SimulatedFace, simulated_faces
from tests.accuracy.marks import DENSE, FRAMES, SAMPLINGS
from tests.accuracy.masks import mask_scores, points_covered
from tests.accuracy.poses import FAR_WRONG_DEG, LARGE_PX, SMALL_PX, SOLVERS, is_frontal, pose_errors
from tests.accuracy.table import count, row, share, table

APART = 1.5  # heights of a face


@dataclass(frozen=True)
class FilmFaces:
    """Faces of simulated clips; `size` is (width, height) of their frames."""

    faces: list[SimulatedFace]
    apart: list[Apart]
    false: int
    size: tuple[int, int]


def measure_faces(sample: Path, clips: int, settings: FeaturizeSettings, masked: bool = True) -> FilmFaces:
    """Measure the first clips of a sample, evenly over its films, over all cores.

    Args:
        sample: a folder that `tailwatch sample` made.
        clips: how many.
        masked: by the default segmenter's masks; else the frames alone are looked at.
    """
    work = partial(_clip_faces, settings=settings, masked=masked)
    done = list(map_items(work, _spread(sample, clips), label="simulated faces"))
    return FilmFaces(
        [face for result in done for face in result.faces],
        [apart for result in done for apart in result.apart],
        sum(result.false for result in done),
        done[0].size,
    )


def _clip_faces(path: Path, settings: FeaturizeSettings, masked: bool) -> FilmFaces:
    frames = read_clip(path, {FRAMES: SAMPLINGS[FRAMES]}).frames[FRAMES]
    masks = build_segmenter(SegmentSettings()).masks(frames.pixels, frames.times_s, None) if masked else None
    measured = measure_clip(frames.pixels, masks, settings)
    truth = _truth(path)
    return FilmFaces(
        *simulated_faces(measured, frames.indices, truth), size=(truth.width_px, truth.height_px)
    )


def face_table(results: Mapping[str, FilmFaces]) -> str:
    """Points and poses against the truth, by size of the face and by pose."""
    rows = []
    for name, result in results.items():
        for group, faces in _groups(result.faces).items():
            found = [face.points_error * 100 for face in faces if face.is_found]
            errors = pose_errors(faces)
            rows.append(
                row(
                    name,
                    group,
                    count([face.is_found for face in faces]),
                    f"{np.mean(found):.1f}, {np.percentile(found, 95):.1f}",
                    f"{errors.yaw:.1f} / {errors.pitch:.1f}",
                    f"{errors.yaw_less_constant:.1f} / {errors.pitch_less_constant:.1f}",
                    f"{errors.largest:.0f}",
                    errors.far_wrong,
                )
            )
        rows.append(row(name, f"all: {result.false} false faces", *("" for _ in range(6))))
    names = "found by | faces | found | points, % | yaw / pitch | less a constant | largest | over 30"
    return table(names, rows)


def _groups(faces: Sequence[SimulatedFace]) -> dict[str, list[SimulatedFace]]:
    frontal = [face for face in faces if is_frontal(face)]
    groups = {
        f"{LARGE_PX} px and more": [f for f in frontal if f.height_px >= LARGE_PX],
        f"{SMALL_PX} to {LARGE_PX} px": [f for f in frontal if SMALL_PX <= f.height_px < LARGE_PX],
        f"{LARGE_PX} px, over 40 degrees": [
            f for f in faces if f.height_px >= LARGE_PX and not is_frontal(f)
        ],
    }
    return {name: members for name, members in groups.items() if any(face.is_found for face in members)}


def distance_table(pairs: Sequence[Apart]) -> str:
    """The feature `distance` against the truth's."""
    ranges = {f"{APART} and more": (APART, np.inf), f"{APART} to 2": (APART, 2.0), "2 to 3": (2.0, 3.0)}
    rows = []
    for name, (low, high) in ranges.items():
        errors = np.array([pair.error for pair in pairs if low <= pair.heights < high]) * 100
        if len(errors):
            cells = f"{errors.mean():.2f}", f"{np.percentile(errors, 95):.2f}", f"{errors.max():.1f}"
            rows.append(row(name, len(errors), *cells))
    return table("face heights apart | pairs | mean error, % | p95, % | largest, %", rows)


def solver_table(result: FilmFaces) -> str:
    """Solvers on the same landmarks, large frontal faces."""
    faces = [f for f in result.faces if f.is_found and is_frontal(f) and f.height_px >= LARGE_PX]
    rows = []
    for name, solve in SOLVERS.items():
        solved = [np.subtract(solve(f.points_px, *result.size), (f.yaw_deg, f.pitch_deg)) for f in faces]
        rows.append(solver_row(name, np.array(solved)))
    return table(SOLVER_COLUMNS, rows)


SOLVER_COLUMNS = "solver | faces | yaw / pitch | largest | over 30"


def solver_row(name: str, errors: np.ndarray) -> str:
    """One solver's errors (N, 2) of yaw and pitch, in degrees."""
    wrapped = np.abs((errors + 180) % 360 - 180)
    worst = wrapped.max(axis=1)
    yaw, pitch = wrapped.mean(axis=0)
    return row(
        name,
        len(errors),
        f"{yaw:.1f} / {pitch:.1f}",
        f"{worst.max():.0f}",
        int((worst > FAR_WRONG_DEG).sum()),
    )


def mask_table(sample: Path, clips: int, options: Mapping[str, SegmentSettings]) -> str:
    """Segmenters against the true masks of a sample."""
    scored = masks_against_truth(sample, clips, options)
    rows = [
        row(name, frames, share(iou), share(recall), share(precision), f"{kept:.3f}")
        for name, (iou, recall, precision, kept, frames) in scored.items()
    ]
    return table("masks | frames | IoU | recall | precision | landmarks kept", rows)


def masks_against_truth(
    sample: Path, clips: int, options: Mapping[str, SegmentSettings]
) -> dict[str, tuple[float, float, float, float, int]]:
    """By option: IoU, recall, precision, share of landmarks kept, and frames."""
    work = partial(_clip_masks, options=dict(options))
    done = list(map_items(work, _spread(sample, clips), label="simulated masks"))
    scored = {}
    for name in options:
        found, true, kept = zip(*(result[name] for result in done), strict=True)
        scores = mask_scores(np.concatenate(found), np.concatenate(true))
        frames = sum(map(len, found))
        scored[name] = (scores.iou, scores.recall, scores.precision, float(np.mean(kept)), frames)
    return scored


def _clip_masks(
    path: Path, options: Mapping[str, SegmentSettings]
) -> dict[str, tuple[np.ndarray, np.ndarray, float]]:
    """By option: the masks at the truth's scale, the true ones, and the share of visible landmarks kept."""
    film = read_clip(path, SAMPLINGS).frames
    truth = _truth(path)
    true = truth.masks[film[FRAMES].indices].any(axis=1)
    return {name: _against(truth, true, film, settings) for name, settings in options.items()}


def _against(
    truth: Truth, true: np.ndarray, film: Mapping[str, Frames], settings: SegmentSettings
) -> tuple[np.ndarray, np.ndarray, float]:
    frames = film[FRAMES]
    masks = build_segmenter(settings).masks(frames.pixels, frames.times_s, film[DENSE])
    kept = [
        points_covered(mask, truth.points_px[k][~truth.hidden[k]])
        for mask, k in zip(masks, frames.indices, strict=True)
    ]
    return masks[:, ::MASK_SCALE, ::MASK_SCALE], true, float(np.mean(kept))


def _spread(sample: Path, clips: int) -> list[Path]:
    """The first clips of a sample, one of each film before a second of any."""
    rows = read_csv(sample / "clips.csv", ("clip", "source"))
    names = sorted((row["clip"] for row in rows), key=lambda clip: Path(clip).stem)
    order = sorted(names, key=lambda clip: (Path(clip).stem.rsplit("-", 1)[1], Path(clip).stem))
    return [sample / name for name in order[:clips]]


def _truth(path: Path) -> Truth:
    sample = path.parents[1]
    return read_truth(truth_folder(sample) / f"{path.stem}.npz")
