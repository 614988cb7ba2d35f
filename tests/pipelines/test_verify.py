"""verify: every kind of damage is named, and repaired by remaking; on outs that real DVC recorded."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.core.errors import StorageError
from components.core.files import write_json
from components.datasets.inspection import inspection_object
from components.store.objects import read_object
from pipelines import extract, ingest, verify
from pipelines.artifacts import Project, read_clips
from pipelines.cli import cli
from pipelines.running import alone
from tests.pipelines.test_ingest import PARAMS, open_project, write_films

WRITE = """
import pathlib, sys
for path, word in zip(sys.argv[1::2], sys.argv[2::2]):
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(word * 100)
"""
STAGES = f"""
stages:
  ingest:
    cmd: {sys.executable} write.py outs/ingest/report.json one
    outs: [outs/ingest/report.json]
  reshape:
    foreach: ${{views}}
    do:
      cmd: {sys.executable} write.py outs/reshape/${{key}}/a.npy two outs/reshape/${{key}}/b.npy three
      outs:
        - outs/reshape/${{key}}
"""
FILE, IN_FOLDER = "outs/ingest/report.json", "outs/reshape/numbers/b.npy"
CONTENT = {FILE: "one" * 100, IN_FOLDER: "three" * 100}


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("TAILWATCH_WORKERS", "1")
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")


def dvc(folder, *command):
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A project whose outs were written under DVC."""
    folder = tmp_path_factory.mktemp("recorded")
    open_project(folder)
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "write.py").write_text(WRITE)
    dvc(folder, "init", "--no-scm", "-q")
    dvc(folder, "repro")
    return folder


@pytest.fixture
def project(recorded, tmp_path):
    return Project.open(shutil.copytree(recorded, tmp_path / "project"))


@pytest.fixture
def clips_project(tmp_path):
    """Six clips whose frames lie in the store."""
    write_films(tmp_path)
    opened = open_project(tmp_path)
    ingest.run(opened)
    extract.run(opened)
    return opened


def flip(path):
    """Flip a bit as a disk does: size and times stay."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def cached(folder, content):
    (found,) = (
        path
        for path in (folder / ".dvc/cache/files").rglob("*")
        if path.is_file() and path.read_text() == content
    )
    return found


def add(path):
    path.write_text("stray")


STRAY = "outs/reshape/numbers/stray.txt"


@pytest.mark.parametrize(
    ("spoil", "path", "found"),
    [
        pytest.param(flip, FILE, "its MD5 is", id="file flipped"),
        pytest.param(flip, IN_FOLDER, "its MD5 is", id="flipped in a folder"),
        pytest.param(Path.unlink, FILE, "is missing", id="file missing"),
        pytest.param(Path.unlink, IN_FOLDER, "is missing", id="missing in a folder"),
        pytest.param(add, STRAY, "is not DVC's", id="added to a folder"),
        pytest.param(shutil.rmtree, "outs/reshape/numbers", "is missing", id="folder missing"),
    ],
)
def test_a_damaged_out_is_named(project, spoil, path, found):
    spoil(project.root / path)
    (row,) = verify.run(project, repair=False)
    assert (row.area, row.path, row.repaired) == ("out", path, "")
    assert row.found.startswith(found)


def is_whole(project):
    return (
        verify.run(project, repair=False) == []
        and {name: (project.root / name).read_text() for name in CONTENT} == CONTENT
    )


def test_a_folder_is_named_when_dvc_lost_its_listing(project):
    (listing,) = (project.root / ".dvc/cache/files").rglob("*.dir")
    listing.unlink()
    flip(project.root / IN_FOLDER)
    (row,) = verify.run(project, repair=False)
    assert (row.path, row.found) == ("outs/reshape/numbers", "its content is not what DVC recorded")
    assert [row.repaired for row in verify.run(project, repair=True)] == ["run again"]
    assert is_whole(project)


def test_damaged_outs_come_back_from_dvcs_cache(project):
    flip(project.root / FILE)
    (project.root / IN_FOLDER).unlink()
    add(project.root / STRAY)
    repaired = {row.path: row.repaired for row in verify.run(project, repair=True)}
    assert repaired == dict.fromkeys((FILE, IN_FOLDER, STRAY), "restored")
    assert is_whole(project)


def test_damaged_outs_whose_copies_are_damaged_too_are_made_again(project):
    for name, content in CONTENT.items():
        flip(cached(project.root, content))
        flip(project.root / name)
    rows = verify.run(project, repair=True)
    assert {row.path: row.repaired for row in rows if row.area == "out"} == dict.fromkeys(
        CONTENT, "run again"
    )
    assert [row.repaired for row in rows if row.area == "cache"] == ["removed", "removed"]
    assert is_whole(project)


def test_a_damaged_copy_in_dvcs_cache_is_named_and_removed(project):
    flip(cached(project.root, CONTENT[FILE]))
    (row,) = verify.run(project, repair=False)
    assert (row.area, row.found) == ("cache", "its MD5 is not its name")
    (row,) = verify.run(project, repair=True)
    assert row.repaired == "removed"
    assert not (project.root / row.path).exists()


def test_a_cache_elsewhere_is_looked_at_where_it_lies(project, tmp_path):
    elsewhere = (project.root / ".dvc/cache").rename(tmp_path / "cache")
    (project.root / ".dvc/config.local").write_text("[cache]\n    dir = ../../cache\n")
    (object_,) = (path for path in elsewhere.glob("files/md5/??/*") if path.read_text() == CONTENT[FILE])
    flip(object_)
    (project.root / IN_FOLDER).unlink()
    rows = {row.path: row.area for row in verify.run(project, repair=False)}
    assert rows == {str(object_): "cache", IN_FOLDER: "out"}, "the listing was found there, too"
    verify.run(project, repair=True)
    assert not object_.exists()


def test_outs_of_what_is_not_asked_for_are_nobodys(project):
    (project.root / IN_FOLDER).unlink()
    figures = {
        "views": {"figures": PARAMS["views"]["numbers"]},
        "models": {"majority": {"view": "figures", "runs_on": "cpu"}},
    }
    assert verify.run(open_project(project.root, **figures), repair=False) == []


def test_the_command_names_damage_and_its_exit_code_says_so(project):
    command = ["-C", str(project.root), "verify", "--json"]
    assert CliRunner().invoke(cli, command).exit_code == 0
    flip(project.root / FILE)
    damaged = CliRunner().invoke(cli, command)
    assert damaged.exit_code == 3
    assert [row["path"] for row in json.loads(damaged.stdout)] == [FILE]
    assert CliRunner().invoke(cli, [*command, "--repair"]).exit_code == 0


def test_damage_that_cannot_be_repaired_is_left_in_sight(project):
    flip(cached(project.root, CONTENT[FILE]))
    flip(project.root / FILE)
    (project.root / "write.py").unlink()
    result = CliRunner().invoke(cli, ["-C", str(project.root), "verify", "--repair", "--json"])
    assert result.exit_code == 3
    assert [row["repaired"] for row in json.loads(result.stdout) if row["area"] == "out"] == [""]


def lose_the_way_back(project):
    """Neither DVC's cache nor the stage can give the folder's file again."""
    cached(project.root, CONTENT[IN_FOLDER]).unlink()
    (project.root / "write.py").write_text("raise SystemExit('the disk is full')")


def test_outs_that_cannot_be_made_again_come_back_as_they_were(project):
    lose_the_way_back(project)
    flip(project.root / IN_FOLDER)
    add(project.root / STRAY)
    before = files(project.root / "outs")
    assert {row.repaired for row in verify.run(project, repair=True)} == {""}
    assert files(project.root / "outs") == before


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def running_dvc(root):
    held = {"write": {FILE: {"pid": os.getpid(), "cmd": "dvc repro"}}, "read": {}}
    write_json(root / ".dvc/tmp/rwlock", held)
    return nullcontext()


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        pytest.param(running_dvc, "DVC is at work in this project", id="DVC"),
        pytest.param(
            lambda root: alone(root, "reshape@numbers"), "reshape@numbers is being run", id="a stage alone"
        ),
    ],
)
def test_nothing_is_repaired_while_something_runs(project, runs, told):
    flip(project.root / FILE)
    flip(cached(project.root, CONTENT[IN_FOLDER]))
    before = files(project.root / "outs"), files(project.root / ".dvc/cache")
    with runs(project.root), pytest.raises(StorageError, match=told):
        verify.run(project, repair=True)
    assert (files(project.root / "outs"), files(project.root / ".dvc/cache")) == before


def test_damaged_objects_of_present_clips_are_made_again(clips_project):
    near, clips = clips_project.store.backend.near, read_clips(clips_project)
    before = {file.name: (near.root / file.name).read_bytes() for file in near.files()}
    names = [*clips_project.chain.objects(clips[0]), inspection_object(clips[1].sha256)]
    spoilt = [name for name in names if name in before]
    assert len(spoilt) == 2
    for name in spoilt:
        flip(near.root / name)
    stranger = near.root / f"frames/ff/{'f' * 64}.npz"
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(b"torn")
    rows = verify.run(clips_project, repair=False)
    assert {row.path for row in rows} == {*spoilt, f"frames/ff/{'f' * 64}.npz"}
    assert all("is damaged" in row.found and row.area == "store" for row in rows)
    repaired = {row.path: row.repaired for row in verify.run(clips_project, repair=True)}
    assert repaired == {**dict.fromkeys(spoilt, "made again"), f"frames/ff/{'f' * 64}.npz": "removed"}
    after = {file.name: (near.root / file.name).read_bytes() for file in near.files()}
    assert {name: after[name] for name in before} == before
    for name in after:
        read_object(near.root / name)


def test_other_files_in_the_stores_folder_stay(clips_project):
    others = [clips_project.store.backend.near.root / name for name in ("clip.mp4", "notes/my_thesis.txt")]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no object")
    assert verify.run(clips_project, repair=True) == []
    assert all(path.is_file() for path in others)


def test_a_damaged_object_of_a_clip_that_is_gone_is_removed(clips_project):
    near, clip = clips_project.store.backend.near, read_clips(clips_project)[0]
    (name,) = (name for name in clips_project.chain.objects(clip) if (near.root / name).is_file())
    flip(near.root / name)
    clips_project.locate(clip).unlink()
    assert [row.repaired for row in verify.run(clips_project, repair=True)] == ["removed"]
