"""What git is asked; whole work trees are in test_workspace and tests/integration."""

import logging
from types import SimpleNamespace

import pytest

from components.core.errors import BadDataError, StorageError, UsageError
from components.core.exchange import open_exchange
from pipelines.retraining import git, steps
from pipelines.retraining.places import read_places
from pipelines.retraining.run import Run
from tests.pipelines.retraining.conftest import git as git_of
from tests.pipelines.retraining.conftest import save

HIDDEN = "t0ken"
ADDRESS = f"https://jane:{HIDDEN}@127.0.0.1:1/clips.git"


def test_a_commit_that_is_missing_is_told_without_the_repositorys_password(monkeypatch):
    monkeypatch.setattr(git, "_ask", lambda *_: "")  # the server knows no such branch
    with pytest.raises(BadDataError, match=r"no commit of https://127\.0\.0\.1:1/clips\.git") as caught:
        git.resolve(ADDRESS, None, "main")
    assert HIDDEN not in str(caught.value)


def test_a_place_that_is_missing_is_told_without_the_projects_password(tmp_path):
    with pytest.raises(UsageError, match=r"https://127\.0\.0\.1:1/clips\.git") as caught:
        read_places(tmp_path, {"TAILWATCH_PROJECT": ADDRESS})
    assert HIDDEN not in str(caught.value)


def test_the_log_names_the_remote_of_a_branch_without_its_password(tmp_path, monkeypatch, caplog):
    (tmp_path / "dvc.lock").write_text("stages: {}\n")
    monkeypatch.setattr(git, "push", lambda *_: "0" * 40)
    run = Run("spring", "0" * 40, "", "2026-11-21T10:00:00+00:00")
    with caplog.at_level(logging.INFO, "tailwatch"):
        steps._finish(SimpleNamespace(root=tmp_path), open_exchange(str(tmp_path / "runs")), run, ADDRESS)
    assert "of https://127.0.0.1:1/clips.git" in caplog.text
    assert HIDDEN not in caplog.text


def test_a_branch_of_a_server_is_the_one_of_that_name(repository):
    first = git_of(repository, "rev-parse", "HEAD")
    git_of(repository, "checkout", "--quiet", "-B", "main")
    git_of(repository, "checkout", "--quiet", "-b", "trial/main")
    other = save(repository, "second")
    git_of(repository, "tag", "--annotate", "v1", "--message", "second")
    address = f"file://{repository.parent}"
    named = {name: git.resolve(address, None, name) for name in ("main", "trial/main", "HEAD", "v1")}
    assert named == {"main": first, "trial/main": other, "HEAD": other, "v1": other}
    with pytest.raises(BadDataError, match="trial is no commit of"):
        git.resolve(address, None, "trial")


def test_files_that_the_commit_has_already_are_pushed_once(repository, tmp_path):
    commit, remote = git_of(repository, "rev-parse", "HEAD"), tmp_path / "remote.git"
    git_of(repository, "init", "--quiet", "--bare", str(remote))
    pushed = set()
    for name in ("first", "again"):
        place = git.check_out(str(repository), repository, commit, tmp_path / name)
        branch = ("2026-11-21T10:00:00+00:00", str(remote), "retrain/spring")
        pushed.add(git.push(place, ["params.yaml"], "dvc.lock of spring", *branch))
    assert pushed == {git_of(remote, "rev-parse", "retrain/spring")}
    assert git_of(remote, "rev-parse", "retrain/spring^") == commit


@pytest.fixture
def remote(repository, tmp_path):
    git_of(repository, "init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    return tmp_path / "remote.git"


def pushed(place, remote):
    named = ("dvc.lock of spring", "2026-11-21T10:00:00+00:00", str(remote), "spring")
    return git.push(place, ["params.yaml"], *named)


@pytest.mark.parametrize("project", ["a shallow clone", "an address"])
@pytest.mark.parametrize("has_history", [True, False])
def test_a_commit_of_a_shallow_clone_is_pushed(repository, remote, tmp_path, project, has_history):
    """With its parent where the remote has this, else alone; each time the same commit."""
    commit, address = save(repository, "second"), f"file://{repository.parent}"
    if has_history:
        git_of(repository, "push", "--quiet", str(remote), "HEAD:refs/heads/main")
    folder, below = None, "project"  # of a project that is an address, the top
    if project == "a shallow clone":
        git_of(repository, "clone", "--quiet", "--depth", "1", address, str(tmp_path / "clone"))
        folder, below = tmp_path / "clone/project", ""
    found = {
        pushed(git.check_out(address, folder, commit, tmp_path / name) / below, remote)
        for name in ("first", "again")
    }
    assert found == {git_of(remote, "rev-parse", "spring")}
    parents = git_of(remote, "log", "-1", "--format=%P", "spring")
    assert parents == (commit if has_history else "")


def test_a_remote_is_found_by_name_path_or_address(repository, remote, tmp_path):
    git_of(repository, "remote", "add", "team", "ssh://git@host/clips.git")
    git_of(repository, "remote", "add", "near", str(remote))
    for said, address in {
        "team": "ssh://git@host/clips.git",
        "near": str(remote),
        "../../remote.git": str(remote),
        str(remote): str(remote),
        "git@host:clips.git": "git@host:clips.git",
    }.items():
        assert git.address_of(said, repository) == address
    assert git.address_of(str(remote), None) == str(remote)
    with pytest.raises(UsageError, match="git remote is team, and no project on this machine"):
        git.address_of("team", None)


def test_what_a_server_says_of_a_refused_push_is_told(repository, remote, tmp_path):
    hook = remote / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho no branches on Mondays >&2; exit 1\n")
    hook.chmod(0o755)
    commit = git_of(repository, "rev-parse", "HEAD")
    place = git.check_out(str(repository), repository, commit, tmp_path / "place")
    with pytest.raises(StorageError, match=r"no branches on Mondays.*pre-receive hook declined") as caught:
        pushed(place, remote)
    assert "hint" not in str(caught.value)


def test_a_repository_that_cannot_be_reached_is_told(tmp_path):
    with pytest.raises(StorageError, match="does not appear to be a git repository") as caught:
        git.resolve(f"file://{tmp_path}/nowhere", None, "main")
    assert "Could not read from remote repository" in str(caught.value)
