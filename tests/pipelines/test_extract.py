"""extract: every sampling once, bad clips set aside, nothing decoded twice."""

import logging
from pathlib import Path

import pytest

from components.core.errors import BadDataError
from components.core.tables import read_csv
from components.video import opencv
from pipelines import extract, ingest
from pipelines.artifacts import Project, read_clips, usable_clips
from tests.pipelines.test_ingest import open_project, write_films
from tests.video_factory import damaged, numbers, write_video


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TAILWATCH_DATASET_ROOT", raising=False)
    monkeypatch.setenv("TAILWATCH_WORKERS", "1")


def index_of(project: Project) -> list[dict[str, str]]:
    return read_csv(project.out("extract", "index.csv"))


def test_the_index_says_what_the_decoder_saw(tmp_path: Path) -> None:
    films = write_films(tmp_path)
    damaged(write_video(films / "calm" / "3.mp4", 100, first=60), [30])
    project = open_project(tmp_path)
    ingest.run(project)
    extract.run(project)
    rows = {row["clip_id"]: row for row in index_of(project)}
    assert rows["calm/0.mp4"]["status"] == "ok"
    assert rows["calm/0.mp4"]["frames_decoded"] == "16"
    assert rows["calm/0.mp4"]["average_rate"] == "25"
    assert rows["calm/3.mp4"]["status"] == "partial"
    assert rows["calm/3.mp4"]["backend"] == "pyav"
    stored = project.chain.frames(read_clips(project)[0], "five")
    assert numbers(stored["frames"]) == [1, 4, 8, 11, 14]
    assert rows["calm/0.mp4"]["digest"] == stored.digest


def test_a_new_clip_costs_one_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    films = write_films(tmp_path)
    project = open_project(tmp_path)
    ingest.run(project)
    extract.run(project)
    write_video(films / "fight" / "new.mp4", 16, first=200)
    opened = []
    decode = opencv.decode
    monkeypatch.setattr(opencv, "decode", lambda errand: opened.append(errand.path.name) or decode(errand))
    ingest.run(project)
    with caplog.at_level(logging.INFO, "tailwatch"):
        extract.run(project)
    assert opened == ["new.mp4"]
    assert "1 decoded, 6 reused, 0 set aside" in caplog.text


def test_a_clip_that_vanished_is_set_aside(tmp_path: Path) -> None:
    films = write_films(tmp_path)
    project = open_project(tmp_path, ingest={"max_bad_fraction": 0.2})
    ingest.run(project)
    (films / "calm" / "1.mp4").unlink()
    extract.run(project)
    bad = [row for row in index_of(project) if row["status"] == "bad"]
    assert [(row["clip_id"], row["reason"]) for row in bad] == [
        ("calm/1.mp4", "calm/1.mp4 is not in the data set")
    ]
    assert "calm/1.mp4" not in {clip.clip_id for clip in usable_clips(project, "extract")}


def test_too_many_bad_clips_end_the_run(tmp_path: Path) -> None:
    films = write_films(tmp_path)
    project = open_project(tmp_path)
    ingest.run(project)
    (films / "calm" / "1.mp4").unlink()
    with pytest.raises(BadDataError, match="1 of 6 clips could not be decoded"):
        extract.run(project)


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    write_films(tmp_path, 1, 1)
    project = open_project(tmp_path)
    ingest.run(project)
    extract.run(project)
    first = project.out("extract", "index.csv").read_bytes()
    extract.run(project)
    assert project.out("extract", "index.csv").read_bytes() == first
