"""Writes docs/accuracy.md: the measurements on which the defaults stand.

Run by `make accuracy`, in a checkout beside the folder of real clips.
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np

from components.core.files import atomic_path
from components.faces.settings import FeaturizeSettings
from components.simulation.sample import SampleSettings
from pipelines.sample import make_sample
from tests.accuracy import films, real
from tests.accuracy.marks import DATA, PROJECT, read_marks
from tests.accuracy.masks import OPTIONS
from tests.accuracy.poses import HEIGHT, SOLVERS, WIDTH, largest_on_own_model, own_model
from tests.accuracy.table import table

SAMPLE = SampleSettings(clips=300, clips_per_film=5, seed=2029)
COMPARED_CLIPS = 20
MASK_CLIPS = 12
NOISE = 0.03  # of the distance between the eyes
NOISY_POSES = 2000
ABSENT = "*Not measured: the folder of real clips was not there.*\n"


def main() -> None:
    """Measure everything, and write the page."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="tailwatch-accuracy-") as folder:
        sample = Path(folder) / "sample"
        make_sample(sample, SAMPLE)
        parts = {**film_parts(sample), **real_parts()}
    page = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")
    with atomic_path(PROJECT / "docs/accuracy.md") as path:
        path.write_text(page.format(**parts), encoding="utf-8")


def film_parts(sample: Path) -> dict[str, str]:
    """The tables made from simulated films."""
    default = films.measure_faces(sample, SAMPLE.clips, FeaturizeSettings())
    compared = {
        pair: films.measure_faces(sample, COMPARED_CLIPS, settings, masked=False)
        for pair, settings in real.PAIRS.items()
    }
    return {
        "own_model": f"{largest_on_own_model():.0e}",
        "noisy_solvers": noisy_table(),
        "film_solvers": films.solver_table(default),
        "film_faces": films.face_table({"**default**": default}),
        "film_pairs": films.face_table(compared),
        "distances": films.distance_table(default.apart),
        "film_masks": films.mask_table(sample, MASK_CLIPS, OPTIONS),
        "clips": str(SAMPLE.clips),
        "seed": str(SAMPLE.seed),
        "films": str(SAMPLE.clips // SAMPLE.clips_per_film),
        "compared": str(COMPARED_CLIPS),
        "mask_clips": str(MASK_CLIPS),
    }


def noisy_table() -> str:
    """Solvers on points of their own model with noise."""
    drawn = own_model(NOISE, np.random.default_rng(SAMPLE.seed), NOISY_POSES)
    rows = []
    for name, solve in SOLVERS.items():
        errors = [np.subtract(solve(points, WIDTH, HEIGHT), (yaw, pitch)) for points, yaw, pitch in drawn]
        rows.append(films.solver_row(name, np.array(errors)))
    return table(films.SOLVER_COLUMNS, rows)


def real_parts() -> dict[str, str]:
    """The tables made from the real clips; without them a word that they are absent."""
    if not DATA.is_dir():
        return dict.fromkeys(("outlines", "boxes", "detectors"), ABSENT)
    clips = real.measure_clips(DATA, read_marks(), OPTIONS, real.PAIRS)
    return {
        "outlines": real.outline_table(clips),
        "boxes": real.box_table(clips),
        "detectors": real.detector_table(clips),
    }


if __name__ == "__main__":
    main()
