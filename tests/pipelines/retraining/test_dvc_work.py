"""What DVC is asked, and what its failures are called; whole runs are in tests/integration."""

import errno
import shutil

import pytest
import yaml
from dvc.dependency.base import DependencyDoesNotExistError
from dvc.exceptions import DvcException, ReproductionError
from dvc.repo import Repo
from dvc.stage.exceptions import StageCmdFailedError

from pipelines.dvc_files import digest_now, file_md5
from pipelines.dvc_state import DvcState
from pipelines.retraining import dvc_work
from pipelines.retraining.dvc_failures import WorkError, failing

MADE = ["outs/evaluate/a/metrics.json", "outs/evaluate/b/metrics.json", "outs/reshape/people"]


@pytest.mark.parametrize(
    ("dep", "fetched"),
    [
        pytest.param("outs/reshape/people", ["outs/reshape/people"], id="an out"),
        pytest.param("outs/reshape/people/a.npy", ["outs/reshape/people/a.npy"], id="a file of an out"),
        pytest.param("outs/evaluate", MADE[:2], id="the folder of outs"),
        pytest.param("data/sample", [], id="what no stage made"),
        pytest.param("outs/reshape/peopl", [], id="a part of a name"),
    ],
)
def test_what_is_fetched_for_a_dep(dep, fetched):
    assert dvc_work._sources(dep, MADE) == fetched


def test_a_folder_of_outs_has_the_digest_that_dvc_gives_it(tmp_path):
    contents = {"b/metrics.json": b"2", "a/x.csv": b"1", "a-b/y.csv": b"3"}
    for name, content in contents.items():
        (tmp_path / "outs/evaluate" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "outs/evaluate" / name).write_bytes(content)
    made = {f"outs/evaluate/{name}": file_md5(tmp_path / "outs/evaluate" / name) for name in contents}
    assert dvc_work._gathered("outs/evaluate", {**made, "outs/other": "x"}) == digest_now(
        tmp_path, "outs/evaluate"
    )
    assert dvc_work._gathered("outs/evaluate", {**made, "outs/evaluate/c": "x.dir"}) == ""
    assert dvc_work._gathered("components/core", made) == ""


def caused_by(*causes):
    error = ReproductionError("failed to reproduce x")
    at = error
    for cause in causes:
        at.__cause__ = cause
        at = cause
    return error


@pytest.mark.parametrize(
    ("block", "error", "kind"),
    [
        pytest.param("stage", caused_by(StageCmdFailedError("x", 3)), "stage", id="the stage"),
        pytest.param("stage", caused_by(DependencyDoesNotExistError("d")), "usage", id="a dep is missing"),
        pytest.param("stage", caused_by(DvcException("x"), OSError(errno.EIO, "io")), "storage", id="a disk"),
        pytest.param("stage", caused_by(OSError(errno.ENOSPC, "full")), "room", id="a full disk"),
        pytest.param("storage", caused_by(OSError(errno.ENOSPC, "full")), "room", id="full in a push"),
        pytest.param("storage", ConnectionError("reset"), "storage", id="a server"),
        pytest.param("stage", ValueError("x"), "bug", id="ours"),
    ],
)
def test_kinds_of_failures(block, error, kind):
    with pytest.raises(WorkError) as caught, failing(block):
        raise error
    assert caught.value.kind == kind


def test_a_failure_is_told_without_colours_and_only_once():
    error = DvcException("see <\x1b[36mhttps://dvc.org\x1b[39m>.\n")
    error.__cause__ = OSError("see <https://dvc.org>")
    with pytest.raises(WorkError) as caught, failing("storage"):
        raise error
    assert caught.value.text == "see <https://dvc.org>"


def test_what_was_not_published_is_named():
    with pytest.raises(WorkError) as caught:
        dvc_work._needed({"ingest": {}}, ["extract", "ingest"], "segment")
    assert (caught.value.kind, "segment needs extract" in caught.value.text) == ("missing", True)


@pytest.mark.parametrize(
    ("digest", "agrees"), [pytest.param("aa", True, id="the same"), pytest.param("bb", False, id="another")]
)
def test_a_stage_must_have_read_what_the_run_has(digest, agrees):
    entry = {"deps": [{"path": "outs/a", "md5": digest}, {"path": "components/core", "md5": "x"}]}
    above = {"a": {"outs": [{"path": "outs/a", "md5": "aa"}]}}
    if agrees:
        dvc_work._check_deps("b", entry, above)
    else:
        with pytest.raises(WorkError, match="b read another outs/a"):
            dvc_work._check_deps("b", entry, above)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of two stages, in which a file is tracked by `dvc add`, too."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site-cache"))
    repo = Repo.init(no_scm=True)
    with repo.config.edit() as config:
        config["core"]["remote"] = "team"
        config["remote"]["team"] = {"url": str(tmp_path / "remote"), "verify": "true"}
    write = "mkdir -p a && echo one > a/one && echo two > a/two"
    stages = {
        "first": {"cmd": write, "deps": ["note.txt"], "outs": ["a"]},
        "second": {"cmd": "cat a/one a/two > b", "deps": ["a"], "outs": ["b"]},
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (root / "note.txt").write_text("tracked")
    Repo().add("note.txt")
    return root


def ordered(name, **more):
    return dvc_work.work({"task": "stage", "name": name, "entries": {}, "hint": None, **more})


def test_a_file_that_is_tracked_by_itself_is_no_stage(project):
    first = ordered("first")
    second = ordered("second", entries={"first": first["entry"]})
    assert (first["result"], second["entry"]["outs"][0]["path"]) == ("restored", "b")
    again = ordered("second", entries={"first": first["entry"]}, hint=second["entry"])
    assert again["result"] == "unchanged"
    with pytest.raises(WorkError, match="the stages are first, second"):
        ordered("third")
    assert DvcState(project).names() == ["first", "second"]


def object_of(project, entry, name):
    """The file in the remote of a folder's listing, or of a file in it."""
    md5 = entry["outs"][0]["md5"] if name == entry["outs"][0]["path"] else file_md5(project / name)
    return project.parent / "remote/files/md5" / md5[:2] / md5[2:]


def on_a_fresh_machine(project):
    for folder in ("project/a", "project/.dvc/cache", "project/.dvc/tmp", "site-cache"):
        shutil.rmtree(project.parent / folder)
    (project / "note.txt").write_text("tracked")


@pytest.mark.parametrize("lost", ["a/one", "a"])
@pytest.mark.parametrize("machine", ["fresh", "the same"])
def test_what_the_remote_has_lost_is_made_again(project, lost, machine):
    first = ordered("first")
    gone = object_of(project, first["entry"], lost)
    gone.unlink()
    if machine == "fresh":
        on_a_fresh_machine(project)
    assert ordered("first", hint=first["entry"]) == {"result": "restored", "entry": first["entry"]}
    assert gone.is_file()
    assert ordered("first", hint=first["entry"])["result"] == "unchanged"


@pytest.mark.parametrize(
    ("damaged", "at"),
    [
        pytest.param("a/one", 0, id="a file"),
        pytest.param("a", -1, id="a listing that is no JSON"),
        pytest.param("a", 10, id="a listing that names another file"),
    ],
)
def test_what_is_damaged_in_the_remote_is_named_removed_and_made_again(project, damaged, at):
    first = ordered("first")
    spoiled = object_of(project, first["entry"], damaged)
    content = spoiled.read_bytes()
    spoiled.chmod(0o644)
    spoiled.write_bytes(bytes(byte ^ (k == at % len(content)) for k, byte in enumerate(content)))
    spoiled.chmod(0o444)
    on_a_fresh_machine(project)
    with pytest.raises(WorkError, match=rf"removed from it: .*{spoiled.name} \(of a\)") as caught:
        ordered("second", entries={"first": first["entry"]})
    assert caught.value.kind == "damaged"
    assert not spoiled.exists()
    assert ordered("first", hint=first["entry"])["entry"] == first["entry"]
    assert spoiled.read_bytes() == content
    second = ordered("second", entries={"first": first["entry"]})
    assert second["entry"]["deps"][0]["md5"] == first["entry"]["outs"][0]["md5"]
