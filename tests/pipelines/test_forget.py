"""forget: refused while anything runs; gone on with after an interruption."""

import json
import os
import subprocess
import sys
import tempfile

import pytest
from click.testing import CliRunner

from components.core.errors import StorageError
from components.core.files import read_json, write_json
from components.tracking.records import RunRecord
from components.tracking.runs import RunBook
from components.tracking.store import open_store
from components.tracking.traces import RunTraces
from pipelines import forget, forget_words, ingest
from pipelines.artifacts import Project, read_clips
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
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
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


def test_folders_that_killed_commands_left_go_too(project, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = forget.plan(project, [CLIP], [])
    for name in (".owner", "upload"):
        (tmp_path / "tailwatch-killed" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "tailwatch-killed" / name).touch()
    forget.carry_out(project, found)
    assert not (tmp_path / "tailwatch-killed").exists()


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


CARD = """# fights

Of 3 sources of the test side.

| source | accuracy | clips | classes |
| --- | --- | --- | --- |
| film-9 | 0.2 | 1 | fight |
| film-90 | 0.4 | 1 | calm |

| class | test clips |
| --- | --- |
| film-9 | a class that is named so |
"""


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        pytest.param(([], ["film-9"]), 1, id="source"),
        pytest.param((["fight/old.mp4"], []), 0, id="one of its clips"),
    ],
)
@pytest.mark.usefixtures("mlflow_project")
def test_a_models_card_names_no_source_that_is_forgotten(project, asked, lines):
    in_an_evaluation(project)
    book = RunBook(open_store(project.root), "tailwatch")
    run_id = book.file(RunRecord("train@majority", "key", artifacts={"model_card.md": CARD.encode()})).run_id
    forget.carry_out(project, forget.plan(project, *asked))
    card = RunTraces(book.store, lambda _: False).read(run_id, "model_card.md").decode()
    assert card == CARD.replace("| film-9 | 0.2 | 1 | fight |\n", "", lines)
    again = forget.plan(project, *asked)
    assert (again.sources, again.runs) == ({source: ["fight/old.mp4"] for source in asked[1]}, [])


@pytest.mark.parametrize(
    ("asked", "file"),
    [
        pytest.param("", ".tailwatch/scores/2026-11-20.jsonl", id="of the project"),
        pytest.param("{0}/elsewhere", "{0}/elsewhere/2026-11-20.jsonl", id="of a folder that is named"),
        pytest.param("../elsewhere", "{0}/elsewhere/2026-11-20.jsonl", id="of one named as seen from here"),
        pytest.param("none", ".tailwatch/scores/2026-11-20.jsonl", id="written before"),
    ],
)
def test_of_what_was_scored_only_lines_of_the_clip_go(project, tmp_path_factory, monkeypatch, asked, file):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "here").mkdir()
    monkeypatch.chdir(outside / "here")
    monkeypatch.setenv("TAILWATCH_SCORES", asked.format(outside))
    path = project.root / file.format(outside)
    path.parent.mkdir(exist_ok=True)
    sha256 = {clip.clip_id: clip.sha256 for clip in read_clips(project)}
    lines = [json.dumps({"schema": 1, "video": sha256[name]}) for name in (CLIP, "calm/1.mp4", CLIP)]
    path.write_text("\n".join([*lines, '{"torn']))
    result = forget_clip(project)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["scores"]) == (0, {file.format(outside): 2})
    assert path.read_text() == f'{lines[1]}\n{{"torn'
    assert not any(file in named for named in told["paths"]["notes"])
    assert f"lines of {file.format(outside)}: 2" in forget_words.before(told)


def forget_clip(project):
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
    result = forget_clip(project)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["done"], told["left"]) == (3, True, ["notes.txt"])
    assert whole["store"]
    assert (told["store"], told["runs"], told["paths"]) == (whole["store"], [run], whole["paths"])
    (project.root / "notes.txt").unlink()
    assert forget_clip(project).exit_code == 0
    assert read_json(path)["left"] == []


def test_what_was_made_again_since_stays(project):
    path = forget.carry_out(project, forget.plan(project, [CLIP], []))
    write_json(path, {**read_json(path), "left": ["notes.txt"]})
    ingest.run(project)
    assert forget_clip(project).exit_code == 0
    assert project.out("ingest", "clips.csv").is_file()


def test_a_store_that_was_used_before_is_searched_too(project, tmp_path, monkeypatch):
    stored = set((tmp_path / ".tailwatch/store").rglob("*.npz"))
    monkeypatch.setenv("TAILWATCH_STORE", str(tmp_path / "elsewhere"))
    forget.carry_out(Project.open(tmp_path), forget.plan(Project.open(tmp_path), [CLIP], []))
    left = set((tmp_path / ".tailwatch/store").rglob("*.npz"))
    assert 0 < len(left) < len(stored)
