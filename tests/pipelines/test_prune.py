"""prune: what nobody asks for goes, what anyone needs stays."""

import json
import os
import subprocess
import sys
import tempfile
import time
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from components.core.errors import BadDataError
from components.core.scratch import scratch_folder
from components.store.store import object_name
from pipelines import extract, ingest, prune
from pipelines.artifacts import Project, read_clips
from pipelines.cli import cli
from tests.pipelines.test_ingest import PARAMS, open_project, write_films


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("TAILWATCH_WORKERS", "1")


def dead_process():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def write(path, content="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.fixture
def project(tmp_path):
    """Enabled: the model majority and the view numbers; `films` are the user's."""
    for name in ("films/calm/a.mp4", "films/calm/.b.mp4.1.tmp", "films/clips.csv"):
        write(tmp_path / name)
    for stage, item in (("train", "majority"), ("evaluate", "majority"), ("reshape", "numbers")):
        write(tmp_path / f"outs/{stage}/{item}/kept.json")
    write(tmp_path / "dvc.lock", "schema: '2.0'\nstages: {}\n")
    write(tmp_path / ".dvc/tmp/btime")  # which DVC leaves wherever it looks
    return open_project(tmp_path)


def test_folders_of_killed_commands_go(project, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed = tmp_path / "tailwatch-killed"
    write(killed / ".owner")
    write(killed / "upload", "a face")
    with scratch_folder() as alive:
        write(killed / ".owner")
        found = [
            orphan for orphan in prune.run(project, dry_run=False, store=False) if "folder" in orphan.why
        ]
        assert (paths(found), alive.is_dir()) == ({"tailwatch-killed"}, True)
    assert not killed.exists()


def paths(orphans):
    return {orphan.path for orphan in orphans}


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


ORPHANS = [
    pytest.param("outs/train/fusion/bundle.json", "outs/train/fusion", id="a model's bundle"),
    pytest.param("outs/evaluate/fusion/metrics.json", "outs/evaluate/fusion", id="an evaluation"),
    pytest.param("outs/reshape/people/frames.npy", "outs/reshape/people", id="a view"),
    pytest.param("outs/train/majority/.weights.npz.{dead}.tmp", "", id="temporary in outs"),
    pytest.param(".tailwatch/store/frames/ab/.x.npz.{dead}.tmp", "", id="temporary in the store"),
    pytest.param("reports/.index.html.12345678.{dead}.tmp", "", id="temporary of one writer"),
    pytest.param(".tailwatch/exit/.train.{dead}.tmp", "", id="temporary in .tailwatch"),
    pytest.param(".dvc/cache/files/md5/ab/.Xy12.tmp", "", id="temporary of DVC"),
]
NEEDED = [
    pytest.param("outs/train/majority/bundle.json", id="an enabled model's"),
    pytest.param("outs/extract/index.csv", id="a stage's"),
    pytest.param("outs/.x.{alive}.tmp", id="being written"),
    pytest.param("outs/.x.12345678.{alive}.tmp", id="being written by one writer"),
    pytest.param("outs/x.1.tmp", id="another name"),
    pytest.param(".tailwatch/digests.json", id="the digests"),
    pytest.param(".tailwatch/clips/abc.mp4", id="a fetched clip"),
    pytest.param(f".tailwatch/store/frames/ab/{'ab' * 32}.npz", id="an object"),
    pytest.param(".dvc/cache/files/md5/ab/cdef", id="DVC's copy"),
]


@pytest.mark.parametrize(("file", "orphan"), ORPHANS)
def test_an_orphan_is_listed_and_then_removed(project, file, orphan):
    file = file.format(dead=dead_process())
    orphan = orphan or file
    write(project.root / file)
    before = files(project.root)
    assert paths(prune.run(project, dry_run=True, store=False)) == {orphan}
    assert files(project.root) == before
    (gone,) = prune.run(project, dry_run=False, store=False)
    assert (gone.path, gone.size) == (orphan, 1)
    assert not (project.root / orphan).exists()
    assert files(project.root) == before - {file}
    assert prune.run(project, dry_run=False, store=False) == []


@pytest.mark.parametrize("file", NEEDED)
def test_what_is_needed_stays(project, file):
    path = write(project.root / file.format(alive=os.getpid()))
    assert prune.run(project, dry_run=False, store=False) == []
    assert path.is_file()


@pytest.fixture
def dvcs_file(project):
    """A temporary file of DVC, in a project where DVC ran before."""
    write(project.root / ".dvc/tmp/lock", "")
    return write(project.root / ".dvc/cache/files/md5/ab/.Xy12.tmp")


def test_dvcs_temporary_files_stay_while_it_holds_its_lock(project, dvcs_file):
    code = "import sys, zc.lockfile as z; held = z.LockFile(sys.argv[1]); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(project.root / ".dvc/tmp/lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        assert prune.run(project, dry_run=False, store=False) == []
        holder.communicate()
    assert dvcs_file.is_file()
    assert len(prune.run(project, dry_run=False, store=False)) == 1


def test_in_a_cache_elsewhere_only_what_is_old_goes(project, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    write(project.root / ".dvc/config", f"[cache]\n    dir = {cache}\n")
    new, old = (write(cache / f"files/md5/ab/.{name}.tmp") for name in ("new", "old"))
    others = write(cache / "notes.tmp")
    for path in (old, others):
        os.utime(path, (0, 0))
    assert paths(prune.run(project, dry_run=False, store=False)) == {str(old)}
    assert new.is_file()
    assert others.is_file()


@pytest.mark.parametrize("mode", ["write", "read"])
def test_dvcs_temporary_files_stay_while_it_runs_a_stage(project, dvcs_file, mode):
    def hold(process):
        info = {"pid": process, "cmd": "dvc repro"}
        held = {"write": {}, "read": {}, mode: {"outs/x": info if mode == "write" else [info]}}
        write(project.root / ".dvc/tmp/rwlock", json.dumps(held))

    hold(os.getpid())
    assert prune.run(project, dry_run=False, store=False) == []
    hold(dead_process())
    assert len(prune.run(project, dry_run=False, store=False)) == 1


def test_clips_stay_wherever_they_lie(project):
    (project.root / "films").rename(project.root / "outs/train/films")
    before = files(project.root / "outs/train/films")
    moved = open_project(project.root, dataset={**PARAMS["dataset"], "root": "outs/train/films"})
    assert prune.run(moved, dry_run=False, store=False) == []
    assert files(project.root / "outs/train/films") == before


def test_a_link_goes_but_not_what_it_leads_to(project):
    (project.root / "outs/train/linked").symlink_to(project.root / "elsewhere")
    kept = write(project.root / "elsewhere/kept.txt")
    assert paths(prune.run(project, dry_run=False, store=False)) == {"outs/train/linked"}
    assert kept.is_file()


def test_only_the_checkpoint_that_is_asked_for_stays(project, monkeypatch, caplog):
    for key in ("wanted", "old"):
        write(project.state("checkpoints", key, "state.json"))
    assert (
        prune.run(project, dry_run=False, store=False) == []
    )  # no tensors: what is asked for cannot be told
    assert "the checkpoints stay" in caplog.text
    monkeypatch.setattr(prune, "read_work", lambda *_: SimpleNamespace(key="wanted"))
    assert paths(prune.run(project, dry_run=False, store=False)) == {".tailwatch/checkpoints/old"}


def test_the_cap_is_kept(tmp_path):
    project = open_project(tmp_path, store={"max_gb": 5e-6})
    for number in range(3):
        path = project.store.backend.near.root / object_name("frames", f"{number:064x}")
        write(path, "x" * 2000)
        used_s = time.time() - (3 - number) * 86_400
        os.utime(path, (used_s, used_s))
    (gone,) = prune.run(Project.open(tmp_path), dry_run=False, store=False)
    assert gone.path == f".tailwatch/store/{object_name('frames', f'{0:064x}')}"


def test_objects_of_no_present_clip_and_parameters_go_when_asked(tmp_path):
    films = write_films(tmp_path)
    before = {path: path.read_bytes() for path in films.rglob("*.mp4")}
    project = open_project(tmp_path)
    ingest.run(project)
    extract.run(project)
    kept = {file.name for file in project.store.backend.near.files()}
    project.store.put("frames", "ab" * 32, {"x": np.zeros(2)}, {})
    assert prune.run(project, dry_run=False, store=False) == []
    (gone,) = prune.run(project, dry_run=False, store=True)
    assert gone.path == f".tailwatch/store/{object_name('frames', 'ab' * 32)}"
    assert {file.name for file in project.store.backend.near.files()} == kept
    narrowed = open_project(tmp_path, samplings={"five": {"kind": "uniform", "frames": 3}})
    assert len(prune.run(narrowed, dry_run=True, store=True)) == 6
    assert {path: path.read_bytes() for path in films.rglob("*.mp4")} == before


def test_features_stay_with_their_clips_and_answers_of_folds_and_backbones_stay(tmp_path):
    write_films(tmp_path)
    project = open_project(tmp_path)
    ingest.run(project)
    present = read_clips(project)[0].sha256
    keys = {"ab" * 32: present, "cd" * 32: "0" * 64}
    for key, clip in keys.items():
        project.store.put("features", key, {"features": np.zeros(2)}, {"clip": clip})
    project.store.put("backbones", "23" * 32, {"kernel": np.zeros(2)}, {"clip": "", "paths": ["kernel"]})
    project.store.put("folds", "01" * 32, {"predicted": np.zeros(2)}, {"scored": False})
    damaged = write(project.store.backend.near.root / object_name("features", "ef" * 32))
    gone = paths(prune.run(project, dry_run=False, store=True))
    assert gone == {f".tailwatch/store/{object_name('features', key * 32)}" for key in ("cd", "ef")}
    assert not damaged.exists()


def test_in_a_store_among_other_files_only_its_own_go(tmp_path):
    write_films(tmp_path)
    project = open_project(tmp_path, store={"root": "data", "max_gb": 1e-8})
    ingest.run(project)
    own = {file.name for file in project.store.backend.near.files()}
    temporary = f"frames/ab/.{'ab' * 32}.npz.0123abcd.{dead_process()}.tmp"
    others = {"holiday.mov", "notes/my_thesis.txt", f"notes/.clip.mp4.{dead_process()}.tmp"}
    for name in {temporary, *others}:
        os.utime(write(tmp_path / "data" / name, "x" * 100), (0, 0))
    gone = prune.run(Project.open(tmp_path), dry_run=False, store=True)
    assert paths(gone) == {f"data/{temporary}"}
    assert files(tmp_path / "data") >= others | own


def test_without_a_table_of_clips_no_object_is_called_unneeded(project):
    with pytest.raises(BadDataError, match=r"clips\.csv is not there"):
        prune.run(project, dry_run=True, store=True)


def test_the_command_lists_for_machines(project):
    write(project.root / "outs/train/fusion/b.json")
    result = CliRunner().invoke(cli, ["-C", str(project.root), "prune", "--dry-run", "--json"])
    assert [row["path"] for row in json.loads(result.stdout)] == ["outs/train/fusion"]
    assert (project.root / "outs/train/fusion").is_dir()
