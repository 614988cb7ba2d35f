"""What the tasks of a run agree on, and the commits that it can be of."""

import json

import pytest
from click.testing import CliRunner

from components.core.errors import BadDataError, StorageError, UsageError
from components.core.exchange import read_content, write_content
from pipelines.cli import cli
from pipelines.retraining import git as ours
from pipelines.retraining.places import read_places
from pipelines.retraining.run import begin, check_stage, parse_tags, read
from tests.pipelines.retraining.conftest import git, save


@pytest.fixture
def places(repository):
    return read_places(repository, {})


def test_a_run_stays_of_its_first_commit(places, runs, repository):
    commit = git(repository, "rev-parse", "HEAD")
    first = begin(places, runs, "r.1_2-3", "HEAD", "s3://team/clips", {"airflow.dag_id": "d"})
    assert (first.commit, first.dataset_root) == (commit, "s3://team/clips")
    save(repository, "second")
    assert begin(places, runs, "r.1_2-3", "HEAD", "elsewhere", {}) == first
    assert read(runs, "r.1_2-3") == first
    assert begin(places, runs, "r2", "HEAD", "", {}).commit != commit
    assert json.loads(read_content(runs, "r.1_2-3/run.json"))["tags"] == {"airflow.dag_id": "d"}


def test_what_a_run_answers_is_small_however_long_its_data_sets_name_is(repository):
    told = ["-C", str(repository), "begin-run", "r" * 200, "--dataset-root", f"s3://team/{'данные' * 80}"]
    done = CliRunner().invoke(cli, told, catch_exceptions=False)
    assert len(done.stdout.splitlines()[-1]) < 1024  # what Airflow hands on


@pytest.mark.parametrize("name", ["", "a/b", "../a", "a b", "ä", "x" * 201, "..", "latest"])
def test_names_that_are_none(runs, name):
    with pytest.raises(UsageError, match="is no name of a run"):
        read(runs, name)


def test_a_run_that_was_not_begun(runs):
    with pytest.raises(UsageError, match=r"The run r was not begun.*tailwatch begin-run r"):
        read(runs, "r")


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"commit": "a"}', b'{"name": "b"}'])
def test_a_damaged_run(runs, content):
    write_content(runs, "r/run.json", content)
    with pytest.raises(BadDataError, match=r"run.json cannot be read"):
        read(runs, "r")


@pytest.mark.parametrize("name", ["train@", "@x", "a/b", "../a", "-x", "a@b@c", "a b"])
def test_names_that_no_stage_has(name):
    with pytest.raises(UsageError, match="is no name of a stage"):
        check_stage(name)


def test_tags():
    assert parse_tags(("a=1", "b=x=y", "c=")) == {"a": "1", "b": "x=y", "c": ""}
    with pytest.raises(UsageError, match=r"--tag a.*NAME=VALUE"):
        parse_tags(("a",))


@pytest.mark.parametrize("tags", [{"a b": "1"}, {"a": "x" * 501}, {"": "1"}])
def test_tags_that_mlflow_would_refuse(places, runs, tags):
    with pytest.raises(UsageError, match="The tag"):
        begin(places, runs, "r", "HEAD", "", tags)


@pytest.mark.parametrize("revision", ["HEAD", "main-line", "v1"])
def test_a_revision_of_a_folder_and_of_an_address(repository, tmp_path, revision):
    git(repository, "branch", "main-line")
    git(repository, "tag", "-a", "v1", "-m", "one")
    commit = git(repository, "rev-parse", "HEAD")
    address = (repository.parent / ".git").as_uri()
    assert ours.resolve(str(repository), repository, revision) == commit
    assert ours.resolve(address, None, revision) == commit


@pytest.mark.parametrize("revision", ["no-branch", "0" * 40])
def test_a_commit_that_is_not_there(repository, tmp_path, revision):
    with pytest.raises(BadDataError, match=f"{revision} is no commit of"):
        ours.resolve(str(repository), repository, revision)
    with pytest.raises(BadDataError, match=f"{'0' * 40} is no commit of"):
        ours.check_out(str(repository), repository, "0" * 40, tmp_path / "tree")
    with pytest.raises(BadDataError, match=f"{'0' * 40} is no commit of"):
        ours.check_out((repository.parent / ".git").as_uri(), None, "0" * 40, tmp_path / "another")


def test_what_is_in_no_repository(tmp_path):
    with pytest.raises(BadDataError, match=r"is in no git repository.*git init"):
        ours.resolve(str(tmp_path), tmp_path, "HEAD")
    with pytest.raises(StorageError, match="git ls-remote failed"):
        ours.resolve((tmp_path / "none.git").as_uri(), None, "HEAD")


def test_a_tree_at_an_older_commit(repository, tmp_path):
    commit = git(repository, "rev-parse", "HEAD")
    save(repository, "second")
    root = ours.check_out(str(repository), repository, commit, tmp_path / "tree")
    assert root == tmp_path / "tree/project"
    assert (root / "note.txt").read_text() == "first"
    other = ours.check_out((repository.parent / ".git").as_uri(), None, commit, tmp_path / "other")
    assert (other / "project/note.txt").read_text() == "first"
    assert git(root, "status", "--porcelain") == ""


def test_pushing_again_changes_nothing(repository, tmp_path):
    bare, commit = tmp_path / "bare.git", git(repository, "rev-parse", "HEAD")
    git(tmp_path, "init", "--quiet", "--bare", str(bare))
    pushed = []
    for k in range(2):
        root = ours.check_out(str(repository), repository, commit, tmp_path / f"tree{k}")
        (root / "dvc.lock").write_text("stages: {}\n")
        date = "2026-11-21T10:00:00+00:00"
        pushed.append(ours.push(root, ["dvc.lock"], "lock", date, str(bare), "retrain/r"))
    assert pushed[0] == pushed[1] == git(bare, "rev-parse", "retrain/r")
    assert git(bare, "branch", "--list").split() == ["retrain/r"]
