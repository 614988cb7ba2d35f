"""extract: every sampling once, bad clips set aside, nothing decoded twice."""

import faulthandler
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.core.tables import read_csv
from components.datasets import inspection
from components.video import opencv
from components.video.fingerprint import fingerprint
from components.video.passes import Errand, Pass
from pipelines import extract, ingest
from pipelines.artifacts import Project, read_clips, read_labels, usable_clips
from tests.pipelines.test_ingest import open_project, write_films
from tests.video_factory import damaged, numbers, write_video


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch, forked_workers: None) -> None:
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


def test_clips_of_fewer_frames_than_are_asked_for_are_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    films = write_films(tmp_path, 2, 2)
    for name, rate in (("slow", 5), ("slower", 4)):
        write_video(films / "calm" / f"{name}.mp4", 16, rate=rate, first=60)
    samplings = {"five": {"kind": "uniform", "frames": 5}, "ten": {"kind": "dense", "per_second": 10}}
    views = {
        "numbers": {"sampling": "five", "numbers": True},
        "seen": {"sampling": "ten", "height": 8, "width": 8, "background": "keep"},
    }
    models = {
        name: {"view": view, "runs_on": "cpu"} for name, view in (("majority", "numbers"), ("vgg16", "seen"))
    }
    project = open_project(tmp_path, samplings=samplings, views=views, models=models)
    ingest.run(project)
    with caplog.at_level(logging.WARNING, "tailwatch"):
        extract.run(project)
    [told] = [record.message for record in caplog.records if "frames a second" in record.message]
    assert told.startswith(
        "2 of 6 clips have fewer frames a second than samplings.ten asks for (10), the fewest "
        "calm/slower.mp4 (4)"
    )


def test_a_new_clip_costs_one_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    films = write_films(tmp_path)
    project = open_project(tmp_path)
    ingest.run(project)
    extract.run(project)
    write_video(films / "fight" / "new.mp4", 16, first=200)
    opened = tmp_path / "opened"  # in worker processes, which tell by a file
    decode = opencv.decode

    def telling(errand: Errand) -> Pass:
        opened.write_text(f"{opened.read_text() if opened.exists() else ''}{errand.path.name}\n")
        return decode(errand)

    monkeypatch.setattr(opencv, "decode", telling)
    ingest.run(project)
    with caplog.at_level(logging.INFO, "tailwatch"):
        extract.run(project)
    assert opened.read_text() == "new.mp4\n"
    assert "1 decoded, 6 reused, 0 set aside" in caplog.text


def test_a_clip_that_changed_since_ingest_is_set_aside(tmp_path: Path) -> None:
    films = write_films(tmp_path)
    project = open_project(tmp_path, ingest={"max_bad_fraction": 0.2})
    ingest.run(project)
    kept = (films / "calm" / "1.mp4").read_bytes()
    write_video(films / "calm" / "1.mp4", 16, first=200)
    extract.run(project)
    row = next(row for row in index_of(project) if row["clip_id"] == "calm/1.mp4")
    assert "calm/1.mp4 is not the file that ingest saw" in row["reason"]
    (films / "calm" / "1.mp4").write_bytes(kept)
    clip = next(clip for clip in read_clips(project) if clip.clip_id == "calm/1.mp4")
    assert max(numbers(project.chain.frames(clip, "five")["frames"])) < 200


def test_a_clip_that_vanished_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
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
    assert "to do for 1 of the clips set aside: put it back" in caplog.text


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        pytest.param(lambda: _die_by(signal.SIGSEGV), "(signal 11, SIGSEGV)", id="a crash"),
        pytest.param(lambda: _die_by(signal.SIGABRT), "(signal 6, SIGABRT)", id="an abort"),
        pytest.param(lambda: os._exit(1), "(exit status 1)", id="an exit"),
        pytest.param(lambda: signal.raise_signal(signal.SIGALRM), "took more than 120 s", id="a hang"),
        pytest.param(lambda: np.ones(2 << 30, np.uint8), "needs more than 512 MiB of memory", id="memory"),
    ],
)
def test_what_a_decoder_does_to_its_process_is_of_one_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[], object], reason: str
) -> None:
    write_films(tmp_path)
    project = open_project(tmp_path, ingest={"max_bad_fraction": 0.2})
    ingest.run(project)
    decode = opencv.decode
    monkeypatch.setattr(
        opencv, "decode", lambda errand: (errand.path.name == "1.mp4" and harm()) or decode(errand)
    )
    (tmp_path / "films" / "fight" / "1.mp4").rename(tmp_path / "films" / "fight" / "one.mp4")
    ingest.run(project)
    extract.run(project)
    rows = {row["clip_id"]: (row["status"], row["reason"]) for row in index_of(project)}
    status, why = rows.pop("calm/1.mp4")
    assert status == "bad"
    assert "1.mp4: " in why
    assert reason in why
    assert set(rows.values()) == {("ok", "")}
    assert len(rows) == 5


def test_what_ends_its_process_at_ingest_is_set_aside_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_films(tmp_path)
    project = open_project(tmp_path, ingest={"max_bad_fraction": 0.2})
    with monkeypatch.context() as patched:
        patched.setattr(inspection, "fingerprint", _crash_on_the_second)
        ingest.run(project)
    assert read_labels(project)["calm/1.mp4"].reason == "crashed its worker process (signal 11, SIGSEGV)"
    ingest.run(project)
    assert not read_labels(project)["calm/1.mp4"].reason


def _crash_on_the_second(path: Path) -> object:
    if path.match("calm/1.mp4"):
        _die_by(signal.SIGSEGV)
    return fingerprint(path)


def _die_by(number: signal.Signals) -> None:
    faulthandler.disable()  # pytest's, which would tell of it
    os.kill(os.getpid(), number)


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


def test_the_room_that_frames_take_is_foreseen(tmp_path: Path) -> None:
    write_films(tmp_path)
    project = open_project(tmp_path)
    ingest.run(project)
    clips = read_clips(project)
    foreseen = [project.chain.expected_bytes(clip) for clip in clips]
    extract.run(project)
    names = project.chain.settings.frame_samplings()
    kept = [sum(project.chain.frames(clip, name)["frames"].nbytes for name in names) for clip in clips]
    assert foreseen == kept
    assert [project.chain.expected_bytes(clip) for clip in clips] == [0] * len(clips)
