"""What `tailwatch repro` makes of DVC's locks and of how a run ended."""

import json
import os
import subprocess
import sys
import time

import pytest

from components.core.errors import ResourceError, UsageError
from components.core.system import is_unreaped
from pipelines import repro
from pipelines.dvc_at_rest import cut_short, lock_holders


@pytest.fixture
def rwlock(tmp_path):
    path = tmp_path / ".dvc/tmp/rwlock"
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize(
    ("held", "holders"),
    [
        pytest.param('{"write": {"a": {"pid": 3, "cmd": "c"}}, "read": {}}', {3}, id="a writer"),
        pytest.param(
            '{"read": {"a": [{"pid": 4, "cmd": "c"}, {"pid": 5, "cmd": "c"}]}}', {4, 5}, id="readers"
        ),
        pytest.param("{}", set(), id="nobody"),
        pytest.param('{"write": ', set(), id="cut short"),
        pytest.param("[]", set(), id="another form"),
    ],
)
def test_who_holds_dvcs_locks(rwlock, held, holders):
    rwlock.write_text(held)
    assert lock_holders(rwlock.parents[2]) == holders


LOCK = """schema: '2.0'
stages:
  ingest:
    cmd: tailwatch stage ingest
    outs:
    - path: outs/clips
      hash: md5
      md5: 1c1f4d1b1d1e1f1a1b1c1d1e1f1a1b1c
      size: 12
"""


@pytest.mark.parametrize(
    ("lock", "held", "cut"),
    [
        pytest.param(LOCK, '{"write": {}, "read": {}}', [], id="whole"),
        pytest.param("", "{}", ["dvc.lock"], id="opened and not written"),
        pytest.param(LOCK[: LOCK.index("stages")], "{}", [], id="without stages, which DVC takes"),
        pytest.param(LOCK[: LOCK.index(": 12")], "{}", ["dvc.lock"], id="within a name"),
        pytest.param(
            LOCK[: LOCK.index("md5:") - 30], "{}", [], id="within a path, which DVC takes for another"
        ),
        pytest.param(LOCK, "", ["rwlock"], id="nothing held"),
        pytest.param("schema: '2", '{"write": ', ["dvc.lock", "rwlock"], id="both"),
        pytest.param(LOCK + "<<<<<<< HEAD\n", "{}", [], id="a conflict, which is for a person"),
        pytest.param(LOCK.replace("2.0", "3.0") + "  [", "{}", [], id="another version"),
    ],
)
def test_files_that_a_killed_dvc_cut_short(rwlock, lock, held, cut):
    root = rwlock.parents[2]
    (root / "dvc.lock").write_text(lock)
    rwlock.write_text(held)
    assert [path.name for path in cut_short(root)] == cut


def test_nothing_is_cut_short_while_dvc_writes(rwlock):
    root = rwlock.parents[2]
    (root / "dvc.lock").touch()
    rwlock.with_name("lock").touch()
    rwlock.write_text(json.dumps({"write": {"out": {"pid": os.getpid(), "cmd": "dvc repro"}}}))
    assert cut_short(root) == []


def test_params_are_judged_before_dvc_reads_them(tmp_path, project_root, monkeypatch):
    monkeypatch.setattr(repro, "_repro", None)
    text = (project_root / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("{view: numbers, runs_on: cpu}", "{view: numbers}"))
    with pytest.raises(UsageError, match=r"models\.majority names no runs_on"):
        repro.run(tmp_path, [])


def test_a_process_that_nobody_reaps_holds_nothing_for_long(rwlock, monkeypatch):
    monkeypatch.setattr(repro, "_REAPING_S", 0.0)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    while not is_unreaped(dead.pid):
        time.sleep(0.01)
    rwlock.write_text(json.dumps({"write": {"out": {"pid": dead.pid, "cmd": "dvc repro"}}}))
    repro._wait_for_dvc(rwlock.parents[2])
    assert not rwlock.exists()
    dead.wait()


def test_another_dvc_is_waited_for(rwlock, caplog, monkeypatch):
    monkeypatch.setattr(repro, "_REAPING_S", 0.0)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)"])
    rwlock.write_text(json.dumps({"write": {"out": {"pid": other.pid, "cmd": "dvc repro"}}}))
    with caplog.at_level("WARNING", "tailwatch"):
        repro._wait_for_dvc(rwlock.parents[2])
    assert f"DVC is at work, as process {other.pid}" in caplog.text
    assert not rwlock.exists()
    assert other.wait() == 0


@pytest.mark.parametrize(
    ("codes", "passed_on", "meaning"),
    [
        pytest.param({"ingest": 0, "extract": 3}, [], 3, id="bad data"),
        pytest.param({"ingest": 0}, [], 1, id="DVC itself"),
        pytest.param({"ingest": 0}, [15], 143, id="asked to end as a stage ended"),
        pytest.param({}, [15], 143, id="asked to end before a stage began"),
    ],
)
def test_what_a_failure_means(tmp_path, codes, passed_on, meaning):
    _record(tmp_path, codes)
    assert repro._meaning(tmp_path, passed_on) == meaning


def test_a_stage_that_was_killed_is_told_from_one_that_failed(tmp_path):
    _record(tmp_path, {"ingest": 0, "train@fusion": 137})
    with pytest.raises(ResourceError, match="train@fusion was killed from outside"):
        repro._meaning(tmp_path, [])


def _record(folder, codes):
    (folder / ".tailwatch/exit").mkdir(parents=True)
    for stage, code in codes.items():
        (folder / ".tailwatch/exit" / stage).write_text(f"{code}\n")
