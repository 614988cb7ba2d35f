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
        if Stepper.steps == int(sys.argv[2]):
            os.kill(os.getpid(), getattr(signal, sys.argv[3]))
        return super().__call__(batch)

loop.Stepper = Stepper
learn(tiny_task(), Checkpoints(Path(sys.argv[1]), spacing=1e9), Unwatched())
"""


@pytest.mark.parametrize(
    ("step", "name", "code"),
    [
        pytest.param(6, "SIGTERM", 143, id="within an epoch"),
        pytest.param(8, "SIGINT", 130, id="at an epoch's last step"),
    ],
)
def test_the_last_step_is_kept(step, name, code, tmp_path, project_root):
    command = [sys.executable, "-c", ASKED, str(tmp_path), str(step), name]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(project_root)}, timeout=300)
    assert done.returncode == code
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.read().progress.step == step
    resumed, unkilled = learn(tiny_task(), checkpoints, Unwatched()), learn(tiny_task(), None, Unwatched())
    assert resumed.history == unkilled.history
    for given, wanted in zip(resumed.arrays.values(), unkilled.arrays.values(), strict=True):
        assert given.tobytes() == wanted.tobytes()


def test_a_second_signal_acts_as_before():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin without it
    with Interruption() as interruption, pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.code == 130
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
