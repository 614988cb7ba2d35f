"""`dvc repro` killed, stopped, started twice and out of room, with a real network in training."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from components.core.system import ask_to_die_with, is_alive
from tests.faults.tiny import copy_of, make_project, residue, results
from tests.flow import Checkout

pytestmark = pytest.mark.slow
PATIENCE_S = 240


@pytest.fixture(scope="module")
def fresh(project_root, tmp_path_factory):
    return make_project(project_root, tmp_path_factory.mktemp("fresh"), network=False)


@pytest.fixture(scope="module")
def unkilled(fresh, tmp_path_factory):
    project = copy_of(fresh, tmp_path_factory.mktemp("unkilled") / "project")
    project.repro()
    return results(project.folder)


@pytest.fixture
def project(fresh, tmp_path):
    return copy_of(fresh, tmp_path / "project")


def start(project: Checkout, *command: str, **environment: str) -> subprocess.Popen:
    """A command in a process group of its own, printing into a file."""
    with (project.folder / "printed.txt").open("ab") as printed:
        return subprocess.Popen(
            command,
            cwd=project.folder,
            env={**project.environment(), **environment},
            stdout=printed,
            stderr=printed,
            start_new_session=True,
            preexec_fn=ask_to_die_with(os.getpid()),
        )


def until(happened, what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline_s, f"waited in vain for {what}"
        time.sleep(0.02)


def holder(project: Checkout, stage: str) -> int | None:
    """The process that runs a stage."""
    try:
        return int((project.folder / ".tailwatch/locks" / stage).read_text())
    except (OSError, ValueError):
        return None


def exit_code(project: Checkout, stage: str) -> str:
    return (project.folder / ".tailwatch/exit" / stage).read_text().strip()


def checkpoints(project: Checkout) -> list[Path]:
    return list((project.folder / ".tailwatch/checkpoints").glob("*/state.json"))


def goes_on(project: Checkout, unkilled: dict[str, str], command: str = "dvc") -> str:
    text = project.run(command, "repro")
    assert results(project.folder) == unkilled
    assert "Traceback" not in text
    assert not residue(project.folder / "outs")
    return text


@pytest.mark.parametrize("seed", range(3))
def test_the_whole_group_killed(seed, project, unkilled):
    chance = random.Random(seed)
    stage = chance.choice(["extract", "featurize", "train@logistic", "evaluate@logistic"])
    process = start(project, "dvc", "repro")
    until(lambda: holder(project, stage), stage)
    time.sleep(chance.uniform(0, 1.0))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    goes_on(project, unkilled, "tailwatch")  # DVC may have been writing dvc.lock, which then is cut short


def test_dvc_killed_as_it_wrote_its_own_files(project, unkilled):
    project.repro()
    lock = (project.folder / "dvc.lock").read_bytes()
    for size in (0, 40, len(lock) // 2):
        (project.folder / "dvc.lock").write_bytes(lock[:size])
        (project.folder / ".dvc/tmp/rwlock").write_bytes(b"")
        assert "cut short" in project.run("tailwatch", "doctor", succeeds=False)
        text = goes_on(project, unkilled, "tailwatch")
        assert (project.folder / "dvc.lock").read_bytes() == lock
        assert "Running stage" not in text


def test_dvc_alone_killed(project, unkilled):
    process = start(project, "dvc", "repro")
    until(lambda: holder(project, "train@logistic"), "the training")
    worker = holder(project, "train@logistic")
    process.kill()
    process.wait()
    until(lambda: not is_alive(worker), "the end of the training")
    assert exit_code(project, "train@logistic") == "143"
    goes_on(project, unkilled)


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        pytest.param(lambda pid: os.kill(pid, signal.SIGTERM), 143, id="asked to end"),
        pytest.param(lambda pid: os.killpg(pid, signal.SIGINT), 130, id="ctrl-C"),
    ],
)
def test_a_stopped_training_goes_on(stop, code, project_root, tmp_path):
    project = make_project(project_root, tmp_path, network=True)
    project.repro("train@fusion")
    unkilled = results(project.folder)
    (project.folder / "mlflow.db").unlink()
    again = ("--force", "--single-item", "--no-run-cache", "train@fusion")
    process = start(project, "tailwatch", "repro", *again)
    until(lambda: "fusion: epoch 1" in (project.folder / "printed.txt").read_text(), "the first epoch")
    stop(process.pid)
    assert process.wait() == code
    assert exit_code(project, "train@fusion") == str(code)
    assert len(checkpoints(project)) == 1
    text, _ = project.repro(*again)
    assert "fusion goes on after epoch" in text
    assert results(project.folder) == unkilled
    assert not checkpoints(project)
    assert training_runs(project) == ["FINISHED"]


def training_runs(project: Checkout) -> list[str]:
    """How MLflow's runs of the network's training stand."""
    script = (
        "import json, mlflow; client = mlflow.MlflowClient('sqlite:///mlflow.db'); "
        "ids = [e.experiment_id for e in client.search_experiments()]; "
        "runs = client.search_runs(ids, \"attributes.run_name = 'train@fusion'\"); "
        "print('RUNS' + json.dumps([run.info.status for run in runs]))"
    )
    printed = project.run("python", "-c", script)
    return json.loads(printed.partition("RUNS")[2].splitlines()[0])


def test_two_at_once(project, unkilled):
    first = start(project, "tailwatch", "repro")
    until(lambda: holder(project, "ingest"), "the first")
    second = start(project, "tailwatch", "repro")
    assert (first.wait(), second.wait()) == (0, 0)
    printed = (project.folder / "printed.txt").read_text()
    assert f"repro is being run by process {first.pid}: waiting for it" in printed
    assert results(project.folder) == unkilled


def test_a_failed_stages_code_comes_through(project):
    (project.folder / "data/tiny/calm/0.mp4").write_bytes(b"no film")
    (project.folder / "data/tiny/calm/1.mp4").write_bytes(b"no film either")
    process = start(project, "tailwatch", "repro")
    assert process.wait() == 3, (project.folder / "printed.txt").read_text()


def test_a_full_disk(project, unkilled, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        (project.folder / ".tailwatch").symlink_to(small)
        text = project.run("dvc", "repro", succeeds=False)
        assert "The frames of 8 clips will take" in text
        assert "Traceback" not in text
        assert not residue(small)
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        goes_on(project, unkilled)
    finally:
        shutil.rmtree(project.folder / "outs", ignore_errors=True)
        subprocess.run(["umount", str(small)], check=True)
