"""A repository of a project that is nothing but its files."""

import subprocess
from pathlib import Path

import pytest
import yaml

from components.core.exchange import open_exchange

PARAMS = {"dataset": {"root": "data/tiny"}, "store": {"root": ".tailwatch/store"}}


def git(folder, *arguments):
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A project in a folder of a repository, with one commit."""
    folder = tmp_path / "repository" / "project"
    (folder / ".dvc").mkdir(parents=True)
    (folder / "data/tiny").mkdir(parents=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    (folder / ".dvc/config").write_text("[core]\n    analytics = false\n")
    (folder / ".gitignore").write_text("/data/\n/.tailwatch/\n")
    git(folder, "init", "--quiet", str(folder.parent))
    save(folder, "first")
    return folder


def save(folder: Path, text: str) -> str:
    (folder / "note.txt").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", text)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def runs(tmp_path):
    return open_exchange(str(tmp_path / "runs"))


@pytest.fixture(autouse=True)
def own_places(monkeypatch):
    import os

    for name in [name for name in os.environ if name.startswith(("TAILWATCH_", "MLFLOW_", "AWS_"))]:
        monkeypatch.delenv(name)
