"""MLflow follows the outs; nothing twice; nothing left open."""

import json
import os
import socket
import subprocess
import sys

import pytest

from components.tracking.owner import HEARTBEAT, OWNER, is_alive, now_ms, owner_id
from components.tracking.projection import CHILDREN, close_stale, project, state_record
from components.tracking.records import Point, RunRecord
from components.tracking.runs import PARENT, RunBook

RECORDS = [
    RunRecord("train@fusion", "t"),
    RunRecord("evaluate@fusion", "e", metrics=[Point("accuracy", 0.8)]),
]


def state(letter: str):
    return state_record(letter * 64, {"tailwatch.dvc_lock": letter * 64}, {"dvc.lock": b"stages: {}"})


def test_one_parent_per_state_of_the_lock(book: RunBook):
    first = project(book, state("a"), RECORDS)
    second = project(book, state("b"), RECORDS)
    parent = book.client.get_run(first.parent.run_id)
    ids = {child.name: child.run_id for child in first.children}
    assert (first.created, second.created) == (3, 1)
    assert parent.data.tags["tailwatch.dvc_lock"] == "a" * 64
    assert json.loads(parent.data.tags[CHILDREN]) == ids
    assert book.client.get_run(ids["train@fusion"]).data.tags[PARENT] == first.parent.run_id
    assert json.loads(book.client.get_run(second.parent.run_id).data.tags[CHILDREN]) == ids


def test_a_second_time_does_nothing(book: RunBook):
    project(book, state("a"), RECORDS)
    again = project(book, state("a"), RECORDS)
    assert (again.created, again.changed, again.closed) == (0, 0, ())


def test_only_what_is_missing_is_made(book: RunBook):
    first = project(book, state("a"), RECORDS)
    book.client.delete_run(first.children[0].run_id)
    again = project(book, state("a"), RECORDS)
    assert [child.created for child in again.children] == [True, False]


def test_a_run_that_nobody_writes_any_more_is_closed(book: RunBook):
    gone = subprocess.run(
        [sys.executable, "-c", "from components.tracking.owner import owner_id; print(owner_id())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    mine = book.begin(RunRecord("train@mine", "mine"))
    lost = book.begin(RunRecord("train@lost", "lost"))
    book.client.set_tag(lost, OWNER, gone)
    foreign = book.client.create_run(book.experiment_id).info.run_id
    assert close_stale(book) == (lost,)
    status = {run_id: book.client.get_run(run_id).info.status for run_id in (mine, lost, foreign)}
    assert status == {mine: "RUNNING", lost: "KILLED", foreign: "RUNNING"}


@pytest.mark.parametrize(
    ("owner", "silent_s", "alive"),
    [
        pytest.param(owner_id(), 0, True, id="this process"),
        pytest.param(owner_id(), 10**9, True, id="this process, silent in a long epoch"),
        pytest.param(f"{socket.gethostname()}/boot/{os.getpid()}/1", 0, False, id="before a restart"),
        pytest.param("elsewhere/boot/1/1", 10, True, id="elsewhere, heard of just now"),
        pytest.param("elsewhere/boot/1/1", 7 * 3600, False, id="elsewhere, silent for hours"),
        pytest.param("", 7 * 3600, False, id="unknown"),
    ],
)
def test_alive(owner, silent_s, alive):
    assert is_alive({OWNER: owner, HEARTBEAT: str(now_ms() - silent_s * 1000)}) is alive
