"""A training that is asked to end is written down first."""

import os
import signal
import subprocess
import sys

import pytest

from components.training.checkpoint import Checkpoints
from components.training.interruption import Interruption
from components.training.learn import learn
from components.training.observer import Unwatched
from tests.components.training.conftest import tiny_task

ASKED = """
import os, signal, sys
from pathlib import Path
from components.training.checkpoint import Checkpoints
from components.training.data import batches
from components.training import loop
from components.training.learn import learn
from components.training.observer import Unwatched
from tests.components.training.conftest import tiny_task

class Stepper(loop.Stepper):
    steps = 0

    def __call__(self, batch):
        Stepper.steps += 1
        ask_if(f"in step {Stepper.steps}")
        return super().__call__(batch)

class Observer(Unwatched):
    def on_epoch(self, epoch, metrics):
        ask_if(f"after epoch {epoch}")

def ask_if(now):
    if now == sys.argv[2]:
        os.kill(os.getpid(), getattr(signal, sys.argv[3]))

loop.Stepper = Stepper
learn(tiny_task(), Checkpoints(Path(sys.argv[1]), spacing=1e9), Observer())
"""


@pytest.mark.parametrize(
    ("when", "step", "name", "code"),
    [
        pytest.param("in step 6", 6, "SIGTERM", 143, id="within an epoch"),
        pytest.param("in step 8", 8, "SIGINT", 130, id="at an epoch's last step"),
        pytest.param("after epoch 6", 24, "SIGTERM", 143, id="after the last epoch"),
    ],
)
def test_the_last_step_is_kept(when, step, name, code, tmp_path, project_root):
    command = [sys.executable, "-c", ASKED, str(tmp_path), when, name]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(project_root)}, timeout=300)
    assert done.returncode == code
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.read().progress.step == step
    resumed, unkilled = learn(tiny_task(), checkpoints, Unwatched()), learn(tiny_task(), None, Unwatched())
    assert resumed.history == unkilled.history
    for given, wanted in zip(resumed.arrays.values(), unkilled.arrays.values(), strict=True):
        assert given.tobytes() == wanted.tobytes()


def test_a_signal_that_nobody_looks_for_any_more():
    with pytest.raises(SystemExit, match="130"), Interruption():
        os.kill(os.getpid(), signal.SIGINT)


def test_an_ignored_signal_stays_ignored():
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
    assert interruption.code is None
    signal.signal(signal.SIGINT, former)


def test_a_second_signal_acts_as_before():
    with pytest.raises(KeyboardInterrupt), Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.code == 130
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
