"""Who gets a signal that reaches a process waiting for another, on a tree of real processes."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from components.core import system
from pipelines import signals
from pipelines.signals import wait_passing_on

STAGE = """
import signal, sys, time
from pathlib import Path
name, ends = sys.argv[1:]
def told(number, _):
    with open("told", "a") as file:
        print(name, signal.Signals(number).name, file=file)
    sys.exit(int(ends))
signal.signal(signal.SIGTERM, told)
signal.signal(signal.SIGINT, told)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
Path(name).touch()
time.sleep(60)
"""
STARTER = """
import signal, subprocess, sys
def wait_for_handlers():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
for name, ends in (("first", {ends}), ("second", 3)):
    stage = [sys.executable, "-c", {stage!r}, name, str(ends)]
    if code := subprocess.run(stage, preexec_fn=wait_for_handlers).returncode:
        sys.exit(code)
"""


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def ask(number: signal.Signals, times: int) -> None:
    while not Path("first").exists():
        time.sleep(0.01)
    for _ in range(times):
        os.kill(os.getpid(), number)


@pytest.fixture
def alone_s(monkeypatch, request):
    """After how many seconds without a child a process is told itself."""
    monkeypatch.setattr(signals, "_ALONE_S", request.param)


@pytest.mark.parametrize("alone_s", [60.0], indirect=True)
@pytest.mark.parametrize(
    ("ends", "told"),
    [
        pytest.param(3, ["first"], id="the stage ends by it"),
        pytest.param(0, ["first", "second"], id="the stage was ending well, and another began"),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("times", [1, 2])
def test_each_child_is_told_once(ends, told, number, times, alone_s, tmp_path):
    script = STARTER.format(ends=ends, stage=STAGE)
    process = system.start_beside([sys.executable, "-c", script], tmp_path, os.environ, apart=True)
    threading.Thread(target=ask, args=(number, times), daemon=True).start()
    assert wait_passing_on(process) == (3, [number])
    assert Path("told").read_text().splitlines() == [f"{name} {number.name}" for name in told]


def test_a_command_that_ends_its_own_children_is_told_alone(tmp_path):
    script = f"""
import os, sys
from components.core import system
system.start_beside([sys.executable, "-c", {STAGE!r}, "first", "3"], ".", os.environ).wait()
"""
    process = system.start_beside([sys.executable, "-c", script], tmp_path, os.environ, apart=True)
    threading.Thread(target=ask, args=(signal.SIGTERM, 1), daemon=True).start()
    assert wait_passing_on(process, to_children=False) == (-signal.SIGTERM, [signal.SIGTERM])
    assert not Path("told").exists()


def test_what_another_thread_asks_for_is_passed_on(tmp_path):
    script = STARTER.format(ends=3, stage=STAGE)
    process = system.start_beside([sys.executable, "-c", script], tmp_path, os.environ, apart=True)
    asked = []

    def lose():
        while not Path("first").exists():
            time.sleep(0.01)
        asked.append(signal.SIGTERM)

    threading.Thread(target=lose, daemon=True).start()
    assert wait_passing_on(process, asked=asked) == (3, [signal.SIGTERM])
    assert Path("told").read_text().splitlines() == ["first SIGTERM"]


@pytest.mark.parametrize("alone_s", [0.3], indirect=True)
def test_a_process_that_is_alone_for_long_is_told_itself(alone_s, tmp_path):
    script = "import pathlib, time; pathlib.Path('first').touch(); time.sleep(60)"
    process = system.start_beside([sys.executable, "-c", script], tmp_path, os.environ, apart=True)
    threading.Thread(target=ask, args=(signal.SIGTERM, 1), daemon=True).start()
    assert wait_passing_on(process) == (-signal.SIGTERM, [signal.SIGTERM])


def test_an_ignored_signal_stays_ignored(tmp_path):
    script = "import os, signal; os.kill(os.getppid(), signal.SIGINT)"
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = system.start_beside([sys.executable, "-c", script], tmp_path, os.environ, apart=True)
        assert wait_passing_on(process) == (0, [])
    finally:
        signal.signal(signal.SIGINT, former)
