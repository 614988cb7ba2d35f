"""What the ends of processes in a workspace mean, and which signals reach them."""

import json
import os
import signal
import sys
import threading
import time
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from components.core.errors import FinalError, ResourceError, StorageError, UsageError
from pipelines.retraining import at_commit, child
from pipelines.retraining.workspace import Workspace

_HEAD = "import json, os, sys, time\nfrom pathlib import Path\nanswer = sys.argv[2]\n"


@pytest.fixture
def place(tmp_path):
    (tmp_path / ".tailwatch").mkdir()
    return Workspace(tmp_path, dict(os.environ))


@pytest.fixture
def dvc(tmp_path, monkeypatch):
    """Puts a script in the place of DVC's process; `answer` is its second argument."""

    def put(script: str) -> None:
        path = tmp_path / "script.py"
        path.write_text(_HEAD + script)
        monkeypatch.setattr(child, "_DVC_WORK", (sys.executable, str(path)))

    return put


def says(**answer):
    return f"Path(answer).write_text({json.dumps(answer)!r})\nsys.exit(int('error' in {answer!r}))"


ORDER = {"task": "stage", "name": "train@fusion"}


def test_what_dvc_did(place, dvc):
    dvc(says(result="ran", entry={"cmd": "x"}))
    assert child.do_dvc_work(place, ORDER) == {"result": "ran", "entry": {"cmd": "x"}}
    assert json.loads(place.state("order.json").read_text()) == ORDER


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param(says(error="usage", text="no stage"), UsageError, id="usage"),
        pytest.param(says(error="missing", text="none"), UsageError, id="nothing published"),
        pytest.param(says(error="storage", text="away"), StorageError, id="storage"),
        pytest.param(says(error="room", text="full"), ResourceError, id="room"),
        pytest.param(says(error="stage", text="x"), FinalError, id="a command that is not there"),
        pytest.param("os.kill(os.getpid(), 9)", ResourceError, id="killed"),
    ],
)
def test_failures(place, dvc, script, error):
    dvc(script)
    with pytest.raises(error):
        child.do_dvc_work(place, ORDER)


@pytest.mark.parametrize("script", [says(error="bug", text="x"), "", "sys.exit(7)"])
def test_what_nobody_foresaw_is_a_bug(place, dvc, script):
    dvc(script)
    with pytest.raises(SystemExit) as caught:
        child.do_dvc_work(place, ORDER)
    assert caught.value.code == 1


@pytest.mark.parametrize("code", [3, 42])
def test_a_stages_own_code(place, dvc, code):
    place.state("exit").mkdir()
    place.state("exit", "train@fusion").write_text(f"{code}\n")
    dvc(says(error="stage", text="x"))
    with pytest.raises(SystemExit) as caught:
        child.do_dvc_work(place, ORDER)
    assert caught.value.code == code


def test_a_stage_that_was_killed(place, dvc):
    place.state("exit").mkdir()
    place.state("exit", "train@fusion").write_text("137\n")
    dvc(says(error="stage", text="x"))
    with pytest.raises(ResourceError, match=r"train@fusion was killed from outside"):
        child.do_dvc_work(place, ORDER)


WAITING = """
import signal, subprocess
stage = subprocess.Popen([sys.executable, "-c", '''
import signal, time
from pathlib import Path
def note(number, _):
    with open("signals", "a") as told: told.write(f"{number} ")
signal.signal(signal.SIGTERM, note)
signal.signal(signal.SIGINT, note)
Path("ready").touch()
while not Path("told").exists(): time.sleep(0.02)
'''])
stage.wait()
sys.exit(1)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_stage_is_told_once(place, dvc, number, code):
    dvc(WAITING)

    def tell():
        while not (place.root / "ready").exists():
            time.sleep(0.01)
        for _ in range(3):
            os.kill(os.getpid(), number)
            time.sleep(0.05)
        (place.root / "told").touch()

    before = signal.getsignal(number)
    threading.Thread(target=tell, daemon=True).start()
    with pytest.raises(SystemExit) as caught:
        child.do_dvc_work(place, ORDER)
    assert caught.value.code == code
    assert (place.root / "signals").read_text() == f"{int(number)} "
    assert signal.getsignal(number) == before


def test_what_a_command_prints_is_taken(place, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/echo")
    assert child.call(place, "track", "--json").split()[-2:] == ["track", "--json"]


def test_what_a_command_at_a_commit_printed_before_it_failed_is_seen(place, monkeypatch, capfd):
    program = place.root / "python"
    program.write_text('#!/bin/sh\nshift 2\necho "$@"\nexit 3\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(at_commit.git, "resolve", lambda *_: "0" * 40)
    monkeypatch.setattr(at_commit, "workspace", lambda *_: nullcontext(place))
    places = SimpleNamespace(project="", project_folder=None)
    with pytest.raises(SystemExit) as caught:
        at_commit.run_at_commit(places, "HEAD", ["score", "good.mp4"])
    assert (caught.value.code, capfd.readouterr().out) == (3, "score good.mp4\n")
