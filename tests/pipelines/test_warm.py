"""warm: parts that share no clip, and together leave nothing for the stage to do."""

import logging
import shutil

import pytest

from components.core.errors import UsageError
from components.datasets.clips import Clip
from pipelines import extract, featurize, ingest, reshape, segment, warm
from pipelines.artifacts import read_clips
from tests.pipelines.test_ingest import PARAMS, open_project, write_films

VIEWS = {**PARAMS["views"], "small": {"sampling": "five", "height": 32, "width": 32, "background": "black"}}
MODELS = {**PARAMS["models"], "fusion": {"view": "small"}}
STAGES = {"extract": extract, "segment": segment, "featurize": featurize}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("TAILWATCH_DATASET_ROOT", raising=False)
    monkeypatch.delenv("TAILWATCH_STORE", raising=False)
    monkeypatch.setenv("TAILWATCH_WORKERS", "1")
    write_films(tmp_path)
    opened = open_project(tmp_path, segment={"backend": "none"}, views=VIEWS, models=MODELS)
    ingest.run(opened)
    return opened


def clips(count):
    return [Clip(str(k), str(k), None, None, f"{7919 * k:064x}", 1, "") for k in range(count)]


@pytest.mark.parametrize("n", [1, 2, 3, 8, 100])
def test_every_clip_is_in_exactly_one_part(n):
    every = clips(50)
    parts = [warm.clips_of_part(every, f"{k}/{n}") for k in range(1, n + 1)]
    assert sorted(clip.clip_id for part in parts for clip in part) == sorted(clip.clip_id for clip in every)
    assert all(int(clip.sha256, 16) % n == k for k, part in enumerate(parts) for clip in part)


@pytest.mark.parametrize("part", ["", "1", "0/2", "3/2", "-1/2", "a/b", "1/2/3", "1.5/2", "1/0"])
def test_a_part_that_cannot_be_meant_is_refused(part):
    with pytest.raises(UsageError, match="k from 1 to n"):
        warm.clips_of_part([], part)


@pytest.mark.parametrize(
    ("stage", "view"),
    [
        pytest.param("train", None, id="no stage over clips"),
        pytest.param("extract", "small", id="a view too many"),
        pytest.param("reshape", None, id="a view too few"),
        pytest.param("reshape", "wide", id="no such view"),
    ],
)
def test_what_cannot_be_warmed_is_refused(project, stage, view):
    with pytest.raises(UsageError, match="cannot be warmed"):
        warm.run(project, stage, view, "1/1")


def test_the_stages_find_everything_made(project, caplog):
    shutil.rmtree(project.out("extract"), ignore_errors=True)
    for stage, view in (("featurize", None), ("extract", None), ("segment", None), ("reshape", "small")):
        for part in ("1/2", "2/2"):
            warm.run(project, stage, view, part)
    assert sorted(path.name for path in project.out("ingest").parent.iterdir()) == ["ingest"]
    with caplog.at_level(logging.INFO, "tailwatch"):
        for stage in STAGES.values():
            stage.run(project)
        reshape.run(project, "small")
    for verb in ("decoded", "segmented", "measured"):
        assert f"0 {verb}, 6 reused, 0 set aside" in caplog.text
    assert "small: 0 rendered, 6 reused" in caplog.text


def test_a_view_without_pixels_needs_no_warming(project):
    outcomes = warm.run(project, "reshape", "numbers", "1/1")
    assert len(outcomes) == 6
    assert not any(outcome.made or outcome.reason for outcome in outcomes)


def test_a_bad_clip_is_told_and_ends_nothing(project, caplog):
    gone = read_clips(project)[0]
    project.locate(gone).unlink()
    with caplog.at_level(logging.INFO, "tailwatch"):
        warm.run(project, "extract", None, "1/1")
    assert f"{gone.clip_id} set aside" in caplog.text
    assert "5 decoded, 0 reused, 1 set aside" in caplog.text
