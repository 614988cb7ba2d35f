"""forget: refused while anything runs; gone on with after an interruption."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from components.core.errors import StorageError
from components.core.files import read_json, write_json
from components.tracking.records import RunRecord
from components.tracking.runs import RunBook
from components.tracking.store import open_store
from pipelines import forget, ingest
from pipelines.cli import cli
from pipelines.running import alone
from tests.pipelines.test_ingest import open_project, write_films

STAGES = """
stages:
  ingest:
    cmd: tailwatch ingest
    outs: [outs/ingest]
"""
CLIP = "calm/0.mp4"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Of its six clips the user has taken one away."""
    for name in ("TAILWATCH_DATASET_ROOT", "TAILWATCH_STORE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / ".dvc/site"))
    monkeypatch.setenv("TAILWATCH_WORKERS", "1")
    write_films(tmp_path)
    opened = open_project(tmp_path)
    (tmp_path / "dvc.yaml").write_text(STAGES)
    command = [sys.executable, "-m", "dvc", "init", "--no-scm", "-q"]
    subprocess.run(command, cwd=tmp_path, check=True, env={**os.environ, "DVC_NO_ANALYTICS": "1"})
    ingest.run(opened)
    (tmp_path / "films" / CLIP).unlink()
    return opened


def test_nothing_is_forgotten_while_dvc_runs_a_stage(project):
    found = forget.plan(project, [CLIP], [])
    held = {"write": {"outs/ingest": {"pid": os.getpid(), "cmd": "dvc repro"}}, "read": {}}
    write_json(project.root / ".dvc/tmp/rwlock", held)
    with pytest.raises(StorageError, match="DVC is at work"):
        forget.carry_out(project, found)
    assert project.out("ingest", "clips.csv").is_file()


def test_nothing_is_forgotten_while_a_stage_runs_without_dvc(project):
    found = forget.plan(project, [CLIP], [])
    with (
        alone(project.root, "featurize"),
        pytest.raises(StorageError, match=f"featurize is being run by process {os.getpid()}"),
    ):
        forget.carry_out(project, found)
    assert project.out("ingest", "clips.csv").is_file()
    assert read_json(forget.carry_out(project, found))["done"]
    assert not project.out("ingest").exists()


PREDICTIONS = "clip_id,split,source,label\nfight/old.mp4,train,film-9,fight\n"


def in_an_evaluation(project):
    path = project.out("evaluate", "majority", "predictions.csv")
    path.parent.mkdir(parents=True)
    path.write_text(PREDICTIONS)


def in_mlflow(project):
    record = RunRecord("evaluate@majority", "key", artifacts={"predictions.csv": PREDICTIONS.encode()})
    RunBook(open_store(project.root), "tailwatch").file(record)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(in_an_evaluation, id="an evaluation"),
        pytest.param(in_mlflow, id="MLflow"),
    ],
)
@pytest.mark.parametrize("asked", [(["fight/old.mp4"], []), ([], ["film-9"])], ids=["clip", "source"])
@pytest.mark.usefixtures("mlflow_project")
def test_a_clip_that_only_predictions_name_is_known(project, known, asked):
    known(project)
    found = forget.plan(project, *asked)
    assert found.clips == {"fight/old.mp4": []}
    assert not found.is_empty
    assert any("its digest is not known" in place for place in found.out_of_reach)
    assert read_json(forget.carry_out(project, found))["left"] == []


def forget_again(project):
    result = CliRunner().invoke(cli, ["-C", str(project.root), "forget", "--clip", CLIP, "--yes", "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.mark.parametrize(
    "state",
    [pytest.param({"done": False}, id="interrupted"), pytest.param({"left": ["notes.txt"]}, id="a rest")],
)
def test_what_an_earlier_command_left_undone_is_gone_on_with(project, state):
    path = forget.carry_out(project, forget.plan(project, [CLIP], []))
    whole = read_json(path)
    run = {"run_id": "1", "run": "evaluate", "what": "predictions.csv", "action": "drop rows"}
    write_json(path, {**whole, "runs": [run], **state})
    (project.root / "notes.txt").write_text(CLIP)
    result = forget_again(project)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["done"], told["left"]) == (3, True, ["notes.txt"])
    assert whole["store"]
    assert (told["store"], told["runs"], told["paths"]) == (whole["store"], [run], whole["paths"])
    (project.root / "notes.txt").unlink()
    assert forget_again(project).exit_code == 0
    assert read_json(path)["left"] == []


def test_what_was_made_again_since_stays(project):
    path = forget.carry_out(project, forget.plan(project, [CLIP], []))
    write_json(path, {**read_json(path), "left": ["notes.txt"]})
    ingest.run(project)
    assert forget_again(project).exit_code == 0
    assert project.out("ingest", "clips.csv").is_file()
