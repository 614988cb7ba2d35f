"""The sample as a data set for the folder adapter."""

import csv
from pathlib import Path

from components.simulation.sample import SampleSettings
from pipelines.sample import make_sample, truth_folder


def test_the_sample_is_class_folders_a_table_and_truth_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    settings = SampleSettings(
        clips=4, clips_per_film=2, width_px=320, height_px=180, shortest_s=0.5, longest_s=0.6
    )
    make_sample(folder, settings, workers=1)
    with (folder / "clips.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["clip", "label", "source"]
    assert {row["clip"] for row in rows} == {
        path.relative_to(folder).as_posix() for path in folder.glob("*/*.mp4")
    }
    assert all(row["clip"].startswith(row["label"] + "/") for row in rows)
    assert {row["source"] for row in rows} == {"film-01", "film-02"}
    assert {path.name for path in folder.iterdir()} == {"clips.csv", "stalking", "non_stalking"}
    assert {path.stem for path in truth_folder(folder).iterdir()} == {
        path.stem for path in folder.glob("*/*.mp4")
    }
