"""`tailwatch run-stage`: whole runs, killed, stopped, started twice and left without their bucket."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from components.core.exchange import open_exchange
from components.core.files import file_sha256
from components.core.s3 import s3_folder
from pipelines.clip_names import ClipNames
from pipelines.retraining import entries
from tests.faults.tiny import copy_of, make_project
from tests.flow import Checkout
from tests.integration.conftest import BUCKET
from tests.integration.retraining import (
    AFTER,
    TO_RESHAPE,
    Machine,
    answer,
    commit,
    descendants,
    kill,
    until,
)
from tests.integration.s3_server import Fault, gets_of, puts_of

pytestmark = pytest.mark.slow
FUSION = "train@fusion"


@pytest.fixture(scope="module")
def fresh(project_root, tmp_path_factory):
    project = make_project(project_root, tmp_path_factory.mktemp("fresh"), network=False)
    project.params(lambda params: params["gate"].update(_EASY) or params["compare"].update(baselines=[]))
    commit(project)
    return project


_EASY = {"min_accuracy": 0.0, "min_accuracy_low": 0.0, "min_recall": 0.0, "min_groups": 1}


@pytest.fixture(scope="module")
def learning(project_root, tmp_path_factory):
    """A project whose network learns for long, all before its training done in run r."""
    project = make_project(project_root, tmp_path_factory.mktemp("learning"), network=True)
    project.params(lambda params: params["train"].update(epochs=200, patience=200))
    commit(project)
    machine = Machine(project, project.folder.parent / "machine")
    machine.run("begin-run", "r", "--tag", "airflow.dag_run_id=manual")
    machine.stages("r", *TO_RESHAPE)
    return project


@pytest.fixture
def machine(tmp_path):
    """Makes a machine for a copy of a project."""

    def made(project: Checkout, name: str = "machine", **places: str) -> Machine:
        folder = tmp_path / "project"
        copied = Checkout(folder) if folder.exists() else copy_of(project, folder)
        return Machine(copied, tmp_path / name, places)

    return made


def runs_of(machine):
    return open_exchange(str(machine.project.folder / ".tailwatch/runs"))


def outs(stages):
    return {out["path"]: out["md5"] for entry in stages.values() for out in entry["outs"]}


def tracked(project):
    script = (
        "import json, mlflow; client = mlflow.MlflowClient('sqlite:///mlflow.db'); "
        "ids = [e.experiment_id for e in client.search_experiments()]; "
        "print('RUNS' + json.dumps([[run.info.run_id, run.info.run_name, run.info.status, run.data.tags] "
        "for run in client.search_runs(ids)]))"
    )
    return json.loads(project.run("python", "-c", script).partition("RUNS")[2].splitlines()[0])


def checkpoint(machine, run="r"):
    return sorted((machine.project.folder / ".tailwatch/runs" / run / "checkpoint" / FUSION).glob("*/*"))


def test_from_the_first_stage_to_a_promoted_model_and_once_more(fresh, machine, tmp_path):
    first = machine(fresh)
    project = first.project
    bare = tmp_path / "remote.git"
    project.run("git", "init", "--quiet", "--bare", str(bare))
    begun = first.run("begin-run", "r1", "--tag", "airflow.dag_id=tailwatch_retrain", "--tag", "n=1=2")
    (project.folder / "pipelines/ingest.py").write_text("raise SystemExit('not of this commit')")
    commit(project)
    assert first.run("begin-run", "r1")["commit"] == begun["commit"]
    assert set(first.stages("r1", *TO_RESHAPE, *AFTER).values()) == {"ran"}
    published = entries.published(runs_of(first), "r1")

    filed = first.run("run-stage", "track", "--run", "r1")
    runs = {run_id: (name, status, tags) for run_id, name, status, tags in tracked(project)}
    assert runs[filed["mlflow_run"]][0].startswith("pipeline")
    assert all(status == "FINISHED" for _, status, _ in runs.values())
    assert {(tags["airflow.dag_id"], tags["n"]) for _, _, tags in runs.values()} == {
        ("tailwatch_retrain", "1=2")
    }
    asked = first.run("run-stage", "promote", "--run", "r1", "--approve", "Ada")
    assert asked["promoted"], asked
    report = first.run("run-stage", "report", "--run", "r1")["report"]
    assert "<html" in Path(report).read_text()
    kept = first.run("run-stage", "finish", "--run", "r1", TAILWATCH_GIT_REMOTE=str(bare))
    again = first.run("run-stage", "finish", "--run", "r1", TAILWATCH_GIT_REMOTE=str(bare))
    assert again == kept
    assert kept["lock"] == filed["lock"]
    assert project.run("git", "-C", str(bare), "branch", "--list").split() == [kept["branch"]]
    lock = project.run("git", "-C", str(bare), "show", f"{kept['branch']}:dvc.lock")
    assert yaml.safe_load(lock)["stages"].keys() == published.keys()

    project.run("git", "checkout", "--quiet", begun["commit"])
    first.run("begin-run", "r2")
    assert set(first.stages("r2", *TO_RESHAPE, *AFTER).values()) == {"unchanged"}
    assert "compare: unchanged: skipped" in first.said()
    assert first.run("run-stage", "extract", "--run", "r2", "--part", "1/2")["result"] == "unchanged"
    assert entries.published(runs_of(first), "r2") == published
    assert first.run("run-stage", "track", "--run", "r2")["mlflow_run"] == filed["mlflow_run"]
    assert not list((first.folder / "workspaces/slots").glob("*.[0-9]"))

    project.run("dvc", "repro")
    plain = yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]
    assert outs(plain) == outs(published)


def test_what_is_changed_above_is_seen_below(fresh, machine):
    """An entry of an earlier run whose deps are not here must not pass for unchanged."""
    first = machine(fresh)
    first.run("begin-run", "r1")
    first.stages("r1", "ingest", "extract")
    first.project.params(lambda params: params["dataset"].update(classes=["wild", "calm"]))
    table = first.project.folder / "data/tiny/clips.csv"
    table.write_text("".join(line for line in table.read_text().splitlines(True) if "calm/0" not in line))
    commit(first.project)
    first.run("begin-run", "r2")
    assert first.stages("r2", "ingest", "extract") == {"ingest": "ran", "extract": "ran"}
    index = outs(entries.published(runs_of(first), "r2"))
    assert (
        index["outs/extract/index.csv"]
        != outs(entries.published(runs_of(first), "r1"))["outs/extract/index.csv"]
    )


def test_a_killed_task_and_what_it_started_are_gone_and_the_training_goes_on(learning, machine):
    first = machine(learning)
    process = first.start("run-stage", FUSION, "--run", "r")
    until(lambda: any(path.name == "state.json" for path in checkpoint(first)), "a checkpoint that is safe")
    others = descendants(process.pid)
    assert len(others) >= 2
    kill(process, others)
    assert {path.read_text() for path in first.folder.rglob(f"exit/{FUSION}")} != {"0\n"}

    shutil.rmtree(first.folder / "workspaces")
    process = first.start("run-stage", FUSION, "--run", "r")
    until(lambda: "fusion goes on after epoch" in first.said(), "the training to go on")
    assert "which is gone: taking over" in first.said()
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait() == 143
    process.communicate()
    assert "fusion is asked to end" in first.said()
    assert len(checkpoint(first)) == 2

    second = machine(learning, "another")
    assert second.stages("r", FUSION) == {FUSION: "ran"}
    assert "fusion goes on after epoch" in second.said()
    assert not checkpoint(second)
    trained = [(status, tags) for _, name, status, tags in tracked(second.project) if name == FUSION]
    assert [(status, tags["airflow.dag_run_id"]) for status, tags in trained] == [("FINISHED", "manual")]


def test_forgetting_reaches_all_that_tasks_keep(fresh, machine):
    first = machine(fresh)
    folder, workspaces = first.project.folder, first.folder / "workspaces"
    first.run("begin-run", "r1")
    first.stages("r1", "ingest", "extract", "segment")
    clip, of_clip = "calm/0.mp4", folder / "data/tiny/calm/0.mp4"
    names = ClipNames({clip: [file_sha256(of_clip)]})
    weights = workspaces / "shared/weights/network.bin"
    weights.write_bytes(b"of no clip")
    places = [folder / ".tailwatch/runs", folder / ".tailwatch/remote", workspaces]
    md5 = outs(entries.published(runs_of(first), "r1"))["outs/extract/index.csv"]
    index = places[1] / "files/md5" / md5[:2] / md5[2:]
    assert index.is_file()
    assert [names.below(place) for place in places[1:]] == [True, True]
    of_clip.unlink()
    table = folder / "data/tiny/clips.csv"
    table.write_text("".join(line for line in table.read_text().splitlines(True) if clip not in line))
    commit(first.project)

    asked = ("forget", "--clip", clip, "--yes", "--json")
    with (workspaces / "slots/ingest.0.lock").open("a") as slot:
        fcntl.flock(slot, fcntl.LOCK_EX)
        first.run(*asked, code=4)
        assert "A retraining's task is at work" in first.said()
    process = first.start(*asked)
    told = json.loads(process.communicate()[0])
    assert (process.returncode, told["left"]) == (0, [])
    assert [names.below(place) for place in places] == [False, False, False]
    assert not index.exists()
    assert not any(Path(member).exists() for member in told["paths"]["objects in DVC's caches"])
    assert not (places[0] / "r1").exists()
    assert weights.is_file()
    first.run("begin-run", "r2")
    assert first.stages("r2", "ingest", "extract") == {"ingest": "ran", "extract": "ran"}


def test_a_command_at_a_commit_writes_nothing_into_the_project(fresh, machine):
    first = machine(fresh)
    told = first.run("at-commit", "adapters", "--check", "--strict")
    assert (told["stage"], told["bad"], told["passed"]) == ("check", 0, True)
    assert not (first.project.folder / ".tailwatch/digests.json").exists()
    first.run("at-commit", "--commit", "no-such-branch", "adapters", code=3)
    first.run("at-commit", "drift", "--floor", "0", code=2)


def test_a_hook_of_git_may_begin_a_run(fresh, machine):
    """Git tells its hooks of a repository, which is not the workspace's."""
    first = machine(fresh)
    head = first.project.run("git", "symbolic-ref", "HEAD")
    for command in (("begin-run", "r"), ("run-stage", "ingest", "--run", "r")):
        first.run(*command, GIT_DIR=str(first.project.folder / ".git"))
    assert first.project.run("git", "symbolic-ref", "HEAD") == head


def test_two_at_once(fresh, machine):
    first, second = machine(fresh), machine(fresh, "second")
    first.run("begin-run", "r")
    processes = [one.start("run-stage", "ingest", "--run", "r") for one in (first, second)]
    told = [answer(process.communicate()[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(one["result"] for one in told) == ["done already", "ran"]
    assert told[0]["lock"] == told[1]["lock"]
    assert "ingest is being run by process" in first.said() + second.said()


def test_a_machine_that_was_lost_is_not_waited_for_for_ever(fresh, machine):
    first = machine(fresh)
    first.run("begin-run", "r")
    lost = {"owner": "lost-host/boot/7/9", "processes": "pid:[1]", "token": "aa"}
    folder = first.project.folder / ".tailwatch/runs/r/lease/ingest"
    folder.mkdir(parents=True)
    (folder / "000001.json").write_text(json.dumps(lost))
    (folder / "000001.beat").write_text("aa 3")
    assert first.stages("r", "ingest") == {"ingest": "ran"}
    assert "ingest was held by process 7 of lost-host, which gave no sign for " in first.said()


def test_what_cannot_be_meant(fresh, machine):
    first = machine(fresh)
    first.run("begin-run", "r", "--commit", "no-branch", code=3)
    first.run("run-stage", "ingest", "--run", "r", code=2)
    first.run("begin-run", "r")
    first.run("run-stage", "extract", "--run", "r", code=2)
    assert "extract needs ingest, of which this run has published nothing" in first.said()
    first.run("run-stage", "track", "--run", "r", code=2)
    first.run("run-stage", "train@nobody", "--run", "r", code=2)
    assert "There is no stage train@nobody" in first.said()
    first.run("run-stage", "ingest", "--run", "r", "--approve", "Ada", code=2)
    for root in ("data/nowhere", "gs://team/clips"):
        first.run("begin-run", "away", "--dataset-root", root, code=2)
        assert f"There is no data set at {root}" in first.said()
    assert "Traceback" not in first.said()


def test_a_stages_own_code_comes_through(fresh, machine):
    first = machine(fresh)
    for k in range(2):
        (first.project.folder / f"data/tiny/calm/{k}.mp4").write_bytes(b"no film")
    first.run("begin-run", "r")
    first.run("run-stage", "ingest", "--run", "r", code=3)
    assert entries.published(runs_of(first), "r") == {}


def test_a_full_disk(fresh, machine, tmp_path):
    small = tmp_path / "machine" / "workspaces"
    small.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)]).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        first = machine(fresh)
        first.run("begin-run", "r")
        first.run("run-stage", "ingest", "--run", "r", code=5)
        assert "Traceback" not in first.said()
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        assert first.stages("r", "ingest") == {"ingest": "ran"}
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.fixture
def cluster(fresh, machine, proxy):
    """Machines that share a bucket alone."""
    places = {
        "TAILWATCH_RUNS": f"s3://{BUCKET}/runs",
        "TAILWATCH_REMOTE": f"s3://{BUCKET}/dvc",
        "TAILWATCH_STORE": f"s3://{BUCKET}/store",
        "AWS_MAX_ATTEMPTS": "1",
    }
    return lambda name: machine(fresh, name, **places)


def test_machines_that_share_a_bucket(cluster, proxy):
    first, second = cluster("first"), cluster("second")
    first.run("begin-run", "r")
    assert first.stages("r", "ingest") == {"ingest": "ran"}
    parts = [
        one.start("run-stage", "extract", "--run", "r", "--part", f"{k}/2")
        for k, one in enumerate((first, second), start=1)
    ]
    assert [answer(part.communicate()[0])["result"] for part in parts] == ["warmed", "warmed"]
    assert second.stages("r", "extract") == {"extract": "ran"}
    assert "0 decoded, 8 reused, 0 set aside" in second.said()
    first.run("begin-run", "r2")
    third = cluster("third")
    assert third.stages("r2", "ingest", "extract") == {"ingest": "unchanged", "extract": "unchanged"}

    exchange = open_exchange(f"s3://{BUCKET}/runs")
    for name in exchange.names("latest/"):
        exchange.remove(name)
    first.run("begin-run", "r3")
    assert cluster("fourth").stages("r3", "ingest", "extract") == {
        "ingest": "restored",
        "extract": "restored",
    }


def test_a_data_set_in_the_bucket(cluster, fresh):
    folder = fresh.folder / "data/tiny"
    clips = s3_folder(f"s3://{BUCKET}/clips")
    for path in folder.rglob("*.*"):
        clips.upload(path, path.relative_to(folder).as_posix())
    first, second = cluster("first"), cluster("second")
    first.run("begin-run", "r", "--dataset-root", f"s3://{BUCKET}/clips")
    assert first.stages("r", "ingest") == {"ingest": "ran"}
    assert second.stages("r", "extract") == {"extract": "ran"}
    first.run("begin-run", "r2", TAILWATCH_DATASET_ROOT=f"s3://{BUCKET}/clips")
    assert second.stages("r2", "ingest", "extract") == {"ingest": "unchanged", "extract": "unchanged"}


def test_an_object_that_is_damaged_in_the_bucket(cluster, proxy, tmp_path):
    """No machine takes it for what it was: it is named, removed, and made again by the next run."""
    first, second = cluster("first"), cluster("second")
    first.run("begin-run", "r")
    first.stages("r", "ingest")
    md5 = outs(entries.published(open_exchange(f"s3://{BUCKET}/runs"), "r"))["outs/ingest/clips.csv"]
    remote, name, copy = s3_folder(f"s3://{BUCKET}/dvc"), f"files/md5/{md5[:2]}/{md5[2:]}", tmp_path / "copy"
    remote.download(name, copy)
    content = copy.read_bytes()
    copy.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    remote.replace(copy, name)
    second.run("run-stage", "extract", "--run", "r", code=4)
    assert "damaged" in second.said()
    assert name in second.said()
    second.run("begin-run", "r2")
    assert second.stages("r2", "ingest", "extract")["extract"] == "ran"
    remote.download(name, copy)
    assert copy.read_bytes() == content


def test_a_bucket_that_is_away_for_a_moment(cluster, proxy):
    first = cluster("first")
    first.run("begin-run", "r")
    proxy.faults += [Fault("gone", 2, meant=gets_of("/runs")), Fault("slow_down", 2, meant=puts_of("/runs"))]
    assert first.stages("r", "ingest") == {"ingest": "ran"}


@pytest.mark.parametrize(
    "meant",
    [
        pytest.param(lambda request: True, id="all of it"),
        pytest.param(gets_of("/runs"), id="what tasks hand on"),
        pytest.param(puts_of("/dvc"), id="a push"),
    ],
)
def test_a_bucket_that_is_gone(cluster, proxy, meant):
    first = cluster("first")
    first.run("begin-run", "r")
    fault = Fault("gone", meant=meant)
    proxy.faults.append(fault)
    first.run("run-stage", "ingest", "--run", "r", code=4)
    assert proxy.url.removeprefix("http://") in first.said()
    assert "Traceback" not in first.said()
    proxy.faults.clear()
    assert first.stages("r", "ingest")["ingest"] in ("ran", "restored")
