"""A version's work tree: at its commit, and gone in the end, also that of a killed command."""

import subprocess
import tempfile

from pipelines.recipe import Recipe
from pipelines.work_tree import check_out


def git(folder, *arguments):
    command = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-C", str(folder)]
    return subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def test_a_work_tree_goes_in_the_end_with_those_of_killed_commands(tmp_path, monkeypatch):
    root = tmp_path / "project"
    root.mkdir()
    (root / "params.yaml").write_text("then")
    git(root, "init", "-q")
    git(root, "add", "--all")
    git(root, "commit", "-qm", "state")
    commit = git(root, "rev-parse", "HEAD")
    (root / "params.yaml").write_text("now")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed = tmp_path / "tailwatch-killed"
    killed.mkdir()
    (killed / ".owner").touch()
    recipe = Recipe(commit, (), "", (), {}, {}, "", "", {})
    with check_out(root, recipe, None) as tree:
        assert (tree / "params.yaml").read_text() == "then"
        assert not killed.exists()
    assert [*tmp_path.glob("tailwatch-*")] == []
