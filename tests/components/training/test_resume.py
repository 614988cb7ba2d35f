"""A killed training goes on and ends with the same bytes as one that was not killed."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from components.training import loop
from components.training.checkpoint import STATE_FILE, Checkpoint, Checkpoints
from components.training.learn import learn
from components.training.observer import Unwatched
from components.training.progress import Progress
from tests.components.training.conftest import tiny_task


class KilledError(Exception):
    """Stands for a process that is gone."""


class KilledAtStep:
    """Checkpoints of a process that is killed once it has written that of a step."""

    def __init__(self, folder, step):
        self._real, self._step = Checkpoints(folder, spacing=0), step

    def __getattr__(self, name):
        return getattr(self._real, name)

    def write(self, checkpoint):
        self._real.write(checkpoint)
        if checkpoint.progress.step >= self._step:
            raise KilledError


def _arrays(learned):
    return {name: array.tobytes() for name, array in learned.arrays.items()}


@pytest.fixture(scope="module")
def unkilled():
    return learn(tiny_task(), None, Unwatched())


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([1], id="after the first step"),
        pytest.param([4], id="at an epoch's end"),
        pytest.param([6], id="within an epoch"),
        pytest.param([3, 9, 10, 21], id="again and again"),
        pytest.param([24], id="after the last step"),
    ],
)
def test_the_same_bytes_after_a_kill(steps, unkilled, tmp_path):
    for step in steps:
        with pytest.raises(KilledError):
            learn(tiny_task(), KilledAtStep(tmp_path, step), Unwatched())
    resumed = learn(tiny_task(), Checkpoints(tmp_path), Unwatched())
    assert _arrays(resumed) == _arrays(unkilled)
    assert resumed.history == unkilled.history
    assert resumed.outcome == unkilled.outcome


def test_steps_that_are_done_are_not_made_again(unkilled, tmp_path, monkeypatch):
    with pytest.raises(KilledError):
        learn(tiny_task(), KilledAtStep(tmp_path, 18), Unwatched())
    made = []
    build = loop.Stepper

    def counted(*given):
        step = build(*given)
        return lambda batch: made.append(1) or step(batch)

    monkeypatch.setattr(loop, "Stepper", counted)
    learn(tiny_task(), Checkpoints(tmp_path), Unwatched())
    assert len(made) == unkilled.outcome["steps"] - 18


KILLED = """
import os, signal, sys
from pathlib import Path
from components.training.checkpoint import Checkpoints
from components.training.learn import learn
from components.training.observer import Unwatched
from tests.components.training.conftest import tiny_task

class Killer(Unwatched):
    def on_epoch(self, epoch, metrics):
        if epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)

learn(tiny_task(), Checkpoints(Path(sys.argv[1]), spacing=0), Killer())
"""


def test_a_real_sigkill_and_another_process(unkilled, tmp_path, project_root):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    path = {**os.environ, "PYTHONPATH": str(project_root)}
    assert subprocess.run(command, cwd=project_root, env=path, timeout=300).returncode == -signal.SIGKILL
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.read().progress.epoch == 3
    resumed = learn(tiny_task(), checkpoints, Unwatched())
    assert _arrays(resumed) == _arrays(unkilled)
    assert resumed.history == unkilled.history


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda f: next(f.glob("step-*.npz")).write_bytes(b"x"), id="arrays damaged"),
        pytest.param(lambda f: next(f.glob("step-*.npz")).unlink(), id="arrays lost"),
        pytest.param(lambda f: (f / STATE_FILE).write_text("{"), id="state half written"),
        pytest.param(lambda f: (f / STATE_FILE).write_text("[]"), id="state of another kind"),
    ],
)
def test_a_damaged_checkpoint_is_said_and_training_begins_anew(damage, unkilled, tmp_path, caplog):
    with pytest.raises(KilledError):
        learn(tiny_task(), KilledAtStep(tmp_path, 9), Unwatched())
    damage(tmp_path)
    resumed = learn(tiny_task(), Checkpoints(tmp_path), Unwatched())
    assert "training begins anew" in caplog.text
    assert _arrays(resumed) == _arrays(unkilled)


def _checkpoint(step):
    return Checkpoint(Progress(step=step), [np.arange(3.0), np.array(step)], {"a/b": np.ones(2)})


def test_only_the_last_checkpoint_is_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 2, 3):
        checkpoints.write(_checkpoint(step))
    assert len(list(tmp_path.iterdir())) == 2
    read = checkpoints.read()
    assert read.progress.step == 3
    np.testing.assert_array_equal(read.live[0], np.arange(3.0))
    np.testing.assert_array_equal(read.best["a/b"], np.ones(2))
    checkpoints.remove()
    assert not tmp_path.exists()
    assert checkpoints.read() is None


def test_a_kill_between_arrays_and_state_leaves_the_one_before(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.write(_checkpoint(1))

    def gone(path, value):
        raise KilledError

    monkeypatch.setattr("components.training.checkpoint.write_json", gone)
    with pytest.raises(KilledError):
        checkpoints.write(_checkpoint(2))
    assert checkpoints.read().progress.step == 1


def test_writing_takes_a_small_share_of_the_time(tmp_path, monkeypatch):
    """A checkpoint that took 2 s is due again after 40 s at the end of an epoch, after 60 s within one."""
    now = [0.0]
    monkeypatch.setattr("components.core.system.time.monotonic", lambda: now[0])
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.is_due(epoch_is_done=True)
    monkeypatch.setattr(checkpoints, "_write", lambda _: now.__setitem__(0, now[0] + 2.0))
    checkpoints.write(_checkpoint(1))
    due = {}
    for since in (39.0, 41.0, 61.0):
        now[0] = 2.0 + since
        due[since] = (checkpoints.is_due(epoch_is_done=True), checkpoints.is_due(epoch_is_done=False))
    assert due == {39.0: (False, False), 41.0: (True, False), 61.0: (True, True)}


def test_progress_survives_json():
    progress = Progress().after_step(8, 0.1 + 0.2, 5).after_epoch(0.7, 0.5, 1e-3).after_step(3, 1 / 3, 1)
    assert Progress(**json.loads(json.dumps(progress.to_json()))) == progress
