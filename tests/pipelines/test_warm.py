"""warm: the parts together leave nothing for the stage to do."""

import logging
import shutil

import pytest

from components.core.errors import UsageError
from pipelines import extract, featurize, ingest, reshape, segment, warm
from pipelines.artifacts import read_clips
from pipelines.part import Part
from tests.pipelines.test_ingest import PARAMS, open_project, write_films

VIEWS = {**PARAMS["views"], "small": {"sampling": "five", "height": 32, "width": 32, "background": "black"}}
MODELS = {**PARAMS["models"], "convlstm": {"view": "small", "runs_on": "cpu"}}
STAGES = {"extract": extract, "segment": segment, "featurize": featurize}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("TAILWATCH_WORKERS", "1")
    write_films(tmp_path)
    opened = open_project(tmp_path, segment={"backend": "none"}, views=VIEWS, models=MODELS)
    ingest.run(opened)
    return opened


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
        warm.run(project, stage, view, Part())


def test_the_stages_find_everything_made(project, caplog):
    shutil.rmtree(project.out("extract"), ignore_errors=True)
    for stage, view in (("featurize", None), ("extract", None), ("segment", None), ("reshape", "small")):
        for part in (Part(1, 2), Part(2, 2)):
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
    outcomes = warm.run(project, "reshape", "numbers", Part())
    assert len(outcomes) == 6
    assert not any(outcome.made or outcome.reason for outcome in outcomes)


def test_a_bad_clip_is_told_and_ends_nothing(project, caplog):
    gone = read_clips(project)[0]
    project.locate(gone).unlink()
    with caplog.at_level(logging.INFO, "tailwatch"):
        warm.run(project, "extract", None, Part())
    assert f"{gone.clip_id} set aside" in caplog.text
    assert "5 decoded, 0 reused, 1 set aside" in caplog.text
