"""Stages whose clips and results lie in a bucket: work is shared, and a server that goes costs no result."""

import logging
import shutil
import subprocess
import sys

import boto3
import pytest

from components.core.errors import StorageError, UsageError
from components.core.s3_client import PATIENCE_VARIABLE
from pipelines import extract, ingest, warm
from pipelines.artifacts import Project
from pipelines.part import Part
from tests.integration.conftest import BUCKET
from tests.integration.s3_server import Fault
from tests.pipelines.test_ingest import PARAMS, open_project, write_films

SHARED = {
    "dataset": {**PARAMS["dataset"], "root": f"s3://{BUCKET}/films"},
    "store": {"root": f"s3://{BUCKET}/store"},
}


@pytest.fixture
def films(tmp_path, proxy, monkeypatch):
    """Four clips in the bucket, and where they came from."""
    monkeypatch.setenv("TAILWATCH_WORKERS", "1")
    home = tmp_path / "home"
    home.mkdir()
    folder = write_films(home, 2, 2)
    client = boto3.client("s3")
    for path in folder.rglob("*.mp4"):
        client.upload_file(str(path), BUCKET, f"films/{path.relative_to(folder)}")
    return home


@pytest.fixture
def machine(tmp_path, films):
    """Sets up one machine after another: each has its own folder, and the first one's clips.csv."""
    made = []

    def set_up() -> Project:
        folder = tmp_path / f"machine-{len(made)}"
        folder.mkdir()
        project = open_project(folder, **SHARED)
        if made:
            shutil.copytree(made[0].out("ingest"), project.out("ingest"))
        else:
            ingest.run(project)
        made.append(project)
        return project

    return set_up


@pytest.fixture
def expected(films):
    """extract's index as one machine with folders writes it."""
    project = open_project(films)
    ingest.run(project)
    extract.run(project)
    return project.out("extract", "index.csv").read_bytes()


def index_of(project):
    return project.out("extract", "index.csv").read_bytes()


def test_what_machines_warm_in_parts_the_stage_finds_made(machine, expected, caplog, monkeypatch):
    monkeypatch.setenv("TAILWATCH_WORKERS", "2")
    machine()
    for part in (Part(1, 2), Part(2, 2)):
        warm.run(machine(), "extract", None, part)
    last = machine()
    with caplog.at_level(logging.INFO, "tailwatch"):
        extract.run(last)
    assert "0 decoded, 4 reused, 0 set aside" in caplog.text
    assert index_of(last) == expected


@pytest.mark.parametrize("after", [0, 3, 7], ids=["at the start", "half way", "later"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_goes_costs_no_result(machine, proxy, expected, monkeypatch, after, workers):
    monkeypatch.setenv("TAILWATCH_WORKERS", workers)
    project = machine()
    proxy.faults.append(Fault("gone", after=after))
    with pytest.raises(StorageError, match="could not be reached") as failed:
        extract.run(project)
    assert proxy.url in str(failed.value)
    assert not project.out("extract", "index.csv").exists()
    proxy.faults.clear()
    extract.run(project)
    assert index_of(project) == expected


def test_whichever_request_fails_a_second_run_completes(machine, tmp_path, expected, monkeypatch):
    first = machine()
    log = tmp_path / "operations"
    monkeypatch.setenv("TAILWATCH_FAULT_LOG", str(log))
    monkeypatch.setenv("TAILWATCH_FAULT", "count@0:s3")
    extract.run(first)
    operations = len(log.read_text().splitlines())
    assert operations >= 12  # of each clip at least: asked for, fetched, sent
    store = boto3.resource("s3").Bucket(BUCKET).objects.filter(Prefix="store/frames")
    for k in range(1, operations + 1):
        store.delete()
        project = machine()
        log.unlink(missing_ok=True)
        monkeypatch.setenv("TAILWATCH_FAULT", f"broken@{k}:s3")
        with pytest.raises(StorageError, match=f"broken@{k}:s3"):
            extract.run(project)
        monkeypatch.delenv("TAILWATCH_FAULT")
        extract.run(project)
        assert index_of(project) == expected


def test_the_command_ends_with_the_exit_code_of_storage(machine, proxy):
    project = machine()
    proxy.faults.append(Fault("gone"))
    command = [sys.executable, "-m", "pipelines.cli", "-C", str(project.root), "extract"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 4
    assert proxy.url in done.stderr
    assert "Traceback" not in done.stderr
    assert (project.root / ".tailwatch/exit/extract").read_text() == "4\n"


def test_a_patience_that_cannot_be_meant_is_refused(machine, monkeypatch):
    project = machine()
    monkeypatch.setenv(PATIENCE_VARIABLE, "long")
    with pytest.raises(UsageError, match=f"{PATIENCE_VARIABLE} is 'long'"):
        extract.run(project)
