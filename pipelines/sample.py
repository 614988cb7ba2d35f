"""`tailwatch sample`: films to try everything on, with nothing downloaded."""

from functools import partial
from pathlib import Path

from components.core.parallel import map_items
from components.core.tables import write_csv
from components.simulation.sample import PlannedFilm, SampleSettings, make_film_clips, plan

COLUMNS = ("clip", "label", "source")


def make_sample(folder: Path, settings: SampleSettings, workers: int | None = None) -> None:
    """Make a data set in the layout of the folder adapter, and its truth beside it.

    Args:
        folder: takes stalking/*.mp4, non_stalking/*.mp4 and clips.csv (clip, label, source); the truth of
            each clip goes to the sibling `<folder>-truth`, one npz by the clip's name.
        settings: how much.
        workers: processes; by default one per core.
    """
    films = plan(settings)
    make = partial(_make, settings=settings, folder=folder, truth_folder=truth_folder(folder))
    for _ in map_items(make, films, label="sample", workers=workers):
        pass
    clips = sorted((clip for film in films for clip in film.clips), key=lambda clip: (clip.label, clip.name))
    rows = [
        {"clip": f"{clip.label}/{clip.name}.mp4", "label": clip.label, "source": clip.film} for clip in clips
    ]
    write_csv(folder / "clips.csv", COLUMNS, rows)


def truth_folder(folder: Path) -> Path:
    """Where the truth of a sample lies: beside it, so that it is no part of the data set."""
    return folder.with_name(f"{folder.name}-truth")


def _make(film: PlannedFilm, settings: SampleSettings, folder: Path, truth_folder: Path) -> int:
    return make_film_clips(film, settings, folder, truth_folder)
