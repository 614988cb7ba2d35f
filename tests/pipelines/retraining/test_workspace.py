"""Private workspaces: what they hold, and that none stays."""

import fcntl
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from dvc.config import Config

from components.core.errors import UsageError
from pipelines.retraining.places import read_places
from pipelines.retraining.run import Run
from pipelines.retraining.workspace import workspace
from tests.pipelines.retraining.conftest import git, save


@pytest.fixture
def places(repository):
    return read_places(repository, {})


@pytest.fixture
def run(repository):
    return Run("r", git(repository, "rev-parse", "HEAD"), "", "2026-11-21T10:00:00+00:00", {"a.b": "c"})


def slots(places):
    return sorted(path.name for path in (places.workspaces / "slots").iterdir() if path.suffix != ".lock")


def test_the_data_set_of_the_project_is_there(places, run, repository):
    with workspace(places, run, "ingest") as place:
        assert (place.root / "data/tiny").resolve() == repository / "data/tiny"
        assert not git(place.root, "status", "--porcelain", "--untracked-files=no")
    assert slots(places) == []
    assert (repository / "data/tiny").is_dir()


@pytest.mark.parametrize("committed", ["clips.csv", "calm/0.mp4"])
def test_of_a_data_set_that_is_committed_in_part_all_is_there(places, run, repository, committed):
    folder = repository / "data/tiny"
    for name in ("clips.csv", "calm/0.mp4", "calm/1.mp4"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    git(repository, "add", "--force", f"data/tiny/{committed}")
    git(repository, "commit", "--quiet", "--message", "a part")
    run = replace(run, commit=git(repository, "rev-parse", "HEAD"))
    with workspace(places, run, "ingest") as place:
        there = sorted(path.name for path in (place.root / "data/tiny").rglob("*.*"))
    assert there == ["0.mp4", "1.mp4", "clips.csv"]
    assert (folder / committed).is_file()


def test_a_data_set_beside_the_project_is_the_one_that_lies_there_now(places, run, repository):
    """What is linked to beside a workspace would be seen by those of other stages, runs and projects."""
    run = replace(run, dataset_root="../clips")
    for year in ("2025", "2026"):
        (repository.parent / year).mkdir()
        (repository.parent / "clips").unlink(missing_ok=True)
        (repository.parent / "clips").symlink_to(year)
        with workspace(places, run, "ingest") as place:
            root = yaml.safe_load((place.root / "params.yaml").read_text())["dataset"]["root"]
            assert root == str(repository.parent / "clips")
        assert Path(root).resolve().name == year
    assert slots(places) == []


@pytest.mark.parametrize("root", ["s3://team/clips", "/srv/clips"])
def test_a_data_set_elsewhere_is_named_for_dvc(places, run, root, monkeypatch):
    monkeypatch.setenv("TAILWATCH_DATASET_ROOT", "/of/another/run")
    with workspace(places, replace(run, dataset_root=root), "ingest") as place:
        assert yaml.safe_load((place.root / "params.yaml").read_text())["dataset"]["root"] == root
        assert "TAILWATCH_DATASET_ROOT" not in place.environment


def test_a_relative_data_set_of_a_project_elsewhere(places, run, repository):
    git(repository, "init", "--quiet", str(repository))
    run = replace(run, commit=save(repository, "alone"))
    away = replace(places, project=(repository / ".git").as_uri())
    wanted = r"data set's root is data/tiny, which is not in the repository"
    with pytest.raises(UsageError, match=wanted), workspace(away, run, "ingest"):
        pass


def test_what_a_process_in_it_is_told(places, run, repository, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://s3:9000")
    away = replace(places, remote="s3://team/dvc")
    with workspace(away, run, "ingest") as place:
        told = place.environment
        assert told["PYTHONPATH"] == str(place.root)
        assert told["TAILWATCH_STORE"] == str(repository / ".tailwatch/store")
        assert told["MLFLOW_TRACKING_URI"] == f"sqlite:///{repository}/mlflow.db"
        assert json.loads(told["TAILWATCH_RUN_TAGS"]) == {"a.b": "c"}
        config = (place.root / ".dvc/config.local").read_text()
        assert "url = s3://team/dvc" in config
        assert "endpointurl = http://s3:9000" in config


def test_what_lies_damaged_in_a_bucket_is_not_taken(places, run):
    with workspace(replace(places, remote="s3://team/dvc"), run, "ingest") as place:
        settings = Config(str(place.root / ".dvc"))["remote"]["retraining"]
    assert settings["verify"] is True


def test_two_at_once_have_one_each(places, run):
    with workspace(places, run, "x") as first, workspace(places, run, "x") as second:
        assert first.root != second.root
    assert slots(places) == []


def test_that_of_a_dead_process_goes_and_that_of_a_living_one_stays(places, run):
    folder = places.workspaces / "slots"
    for name in ("dead.0", "living.0"):
        (folder / name / "outs").mkdir(parents=True)
        (folder / f"{name}.lock").touch()
    with (folder / "living.0.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with workspace(places, run, "x"):
            assert slots(places) == ["living.0", "x.0"]


def test_after_a_failure_it_is_kept_when_asked_for(places, run, monkeypatch):
    monkeypatch.setenv("TAILWATCH_KEEP_WORKSPACES", "1")
    for _ in range(2):
        with pytest.raises(SystemExit), workspace(places, run, "x") as place:
            (place.root / "said.txt").write_text("why")
            raise SystemExit(3)
    kept = sorted((places.workspaces / "kept").iterdir())
    assert [path.name for path in kept] == ["r.x.0", "r.x.1"]
    assert (kept[0] / "project/said.txt").read_text() == "why"
    assert slots(places) == []


def test_caches_are_shared_by_the_machine(places, run):
    with workspace(places, run, "x") as place:
        (place.state("near") / "object").write_text("here")
        assert Path(os.path.realpath(place.state("near"))).is_relative_to(places.workspaces / "shared")
    with workspace(places, run, "x") as place:
        assert (place.state("near") / "object").read_text() == "here"


def test_halves_of_files_in_the_cache_go_when_nobody_writes(places, run):
    half = places.workspaces / "cache/files/md5/ab/.XyZ.tmp"
    half.parent.mkdir(parents=True)
    half.write_text("half")
    (places.workspaces / "slots").mkdir()
    with (places.workspaces / "slots/living.0.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with workspace(places, run, "x"):
            assert half.exists()
    with workspace(places, run, "x"):
        assert not half.exists()
