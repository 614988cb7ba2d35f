"""Temporary folders: gone in the end; of a killed process with the next one, and of nobody else."""

import subprocess
import sys
import tempfile

import pytest

from components.core import system
from components.core.scratch import abandoned, scratch_folder

STAYS = """
import sys
from components.core.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "upload").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""

HANDS_OVER = """
import sys
from components.core.exchange import claim
class Slow:
    def offer(self, path, name):
        path.with_name("upload").touch()
        print(path.parent, flush=True)
        sys.stdin.read()
claim(Slow(), "run.json", b"{}")
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_folder_is_gone_in_the_end(temporary):
    with pytest.raises(ZeroDivisionError), scratch_folder() as folder:
        (folder / "upload").touch()
        assert abandoned() == []
        raise ZeroDivisionError
    assert list(temporary.iterdir()) == []


def test_a_folder_that_cannot_be_claimed_does_not_stay(temporary, monkeypatch):
    monkeypatch.setattr(system, "rename", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError), scratch_folder():
        pass
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("program", [STAYS, HANDS_OVER], ids=["as it is", "of an exchange"])
def test_a_killed_process_leaves_its_folder_until_the_next_one(temporary, program):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], text=True, **pipes) as process:
        left = temporary / process.stdout.readline().strip()
        with scratch_folder():
            assert (left / "upload").is_file(), "its process lives"
        process.kill()
    assert abandoned() == [left]
    with scratch_folder() as folder:
        assert [*temporary.iterdir()] == [folder]


def test_folders_of_others_stay(temporary):
    others = [temporary / name for name in ("tailwatch-without-an-owner", "another", "tailwatch-link")]
    for folder in others[:2]:
        folder.mkdir()
    (others[1] / ".owner").touch()
    others[2].symlink_to(others[1])
    with scratch_folder():
        assert all(folder.is_dir() for folder in others)
