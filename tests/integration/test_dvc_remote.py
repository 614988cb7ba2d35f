"""DVC's remote in a bucket whose server goes: what failed is said, and what is here stays."""

import shutil
import subprocess
import sys

import pytest

from tests.integration.conftest import BUCKET
from tests.integration.s3_server import Fault, gets_of

CONTENT = {"a.npy": "one" * 1000, "b.npy": "two" * 1000}


@pytest.fixture
def run(tmp_path, proxy, monkeypatch):
    """Runs dvc; what it prints, if it ends as expected."""
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # s3fs has attempts of its own

    def dvc(*command: str, succeeds: bool = True) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *command], cwd=tmp_path, capture_output=True, text=True, timeout=180
        )
        text = done.stdout + done.stderr
        assert (done.returncode == 0) is succeeds, text
        return text

    for name, content in CONTENT.items():
        (tmp_path / "outs").mkdir(exist_ok=True)
        (tmp_path / "outs" / name).write_text(content)
    dvc("init", "--no-scm", "-q")
    dvc("remote", "add", "-d", "team", f"s3://{BUCKET}/dvc")
    dvc("remote", "modify", "team", "endpointurl", proxy.url)
    dvc("add", "outs")
    return dvc


def outs(folder):
    return {path.name: path.read_text() for path in (folder / "outs").iterdir()}


def test_a_push_that_failed_leaves_everything_and_is_made_good_later(run, tmp_path, proxy):
    proxy.faults.append(Fault("gone"))
    text = run("push", succeeds=False)
    assert "ERROR" in text
    assert proxy.url.removeprefix("http://") in text
    assert outs(tmp_path) == CONTENT
    proxy.faults.clear()
    run("push")
    shutil.rmtree(tmp_path / "outs")
    shutil.rmtree(tmp_path / ".dvc/cache")
    proxy.faults.append(Fault("gone"))
    assert "ERROR" in run("pull", succeeds=False)
    proxy.faults.clear()
    run("pull")
    assert outs(tmp_path) == CONTENT


def test_what_was_altered_on_the_way_is_not_taken(run, tmp_path, proxy):
    run("push")
    shutil.rmtree(tmp_path / "outs")
    shutil.rmtree(tmp_path / ".dvc/cache")
    proxy.faults.append(Fault("flip", meant=gets_of("/dvc/files")))
    run("pull", succeeds=False)
    found = outs(tmp_path) if (tmp_path / "outs").is_dir() else {}
    assert all(content == CONTENT[name] for name, content in found.items())
    proxy.faults.clear()
    run("pull")
    assert outs(tmp_path) == CONTENT
