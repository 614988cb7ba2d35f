"""What runs say of a clip, found and removed from a real store."""

import json
import sqlite3
from pathlib import Path

import pytest

from components.tracking.records import RunRecord
from components.tracking.runs import RunBook
from components.tracking.store import open_store
from components.tracking.traces import RunTraces, scrub, trained_by, without_rows

CLIP = b"stalking/a.mp4"
TABLE = b"clip_id,split\nstalking/a.mp4,train\nstalking/b.mp4,test\n"


def names(content: bytes) -> bool:
    return CLIP in content


@pytest.fixture
def book(mlflow_project: Path) -> RunBook:
    return RunBook(open_store(mlflow_project), "traces")


@pytest.fixture
def run_id(book: RunBook) -> str:
    record = RunRecord(
        "evaluate@fusion",
        "key",
        params={"note": CLIP.decode()},
        tags={"tailwatch.worst": CLIP.decode(), "tailwatch.other": "b"},
        artifacts={"deep/predictions.csv": TABLE, "evaluation.json": b'["stalking/a.mp4"]', "x.json": b"{}"},
    )
    return book.file(record).run_id


def test_every_place_is_found_and_removed_but_a_parameter(book, run_id):
    traces = RunTraces(book.store, names)
    (run,) = traces.runs()
    found = list(traces.find(run))
    assert {(one.what, one.action) for one in found} == {
        ("tailwatch.worst", "remove tag"),
        ("note", "cannot be removed"),
        ("evaluation.json", "remove artefact"),
        ("deep/predictions.csv", "drop rows"),
    }
    for one in found:
        traces.remove(one)
    (run,) = traces.runs()
    assert [one.what for one in traces.find(run)] == ["note"]
    assert traces.read(run_id, "deep/predictions.csv") == b"clip_id,split\nstalking/b.mp4,test\n"
    assert traces.read(run_id, "x.json") == b"{}"


def test_deleted_runs_are_looked_at_too(book, run_id):
    book.client.delete_run(run_id)
    assert [run.info.run_id for run in RunTraces(book.store, names).runs()] == [run_id]


def test_what_was_deleted_is_gone_from_the_file(book, run_id, mlflow_project):
    database = mlflow_project / "mlflow.db"
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM params")
    book.client.delete_tag(run_id, "tailwatch.worst")
    scrub(database)
    assert CLIP not in database.read_bytes()


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        pytest.param(TABLE, b"clip_id,split\nstalking/b.mp4,test\n", id="one row"),
        pytest.param(b'a,b\n"x, stalking/a.mp4",1\n"y\nz",2\n', b'a,b\n"y\nz",2\n', id="quoted cells"),
    ],
)
def test_rows_that_name_a_clip_are_dropped(table, kept):
    assert without_rows(table, names) == kept


def test_an_evaluation_is_of_the_training_beside_it(book):
    ids = {name: book.ensure(RunRecord(name, name))[0] for name in ("train@a", "evaluate@a", "train@b")}
    listed = json.dumps({"train@a": ids["train@a"], "evaluate@a": ids["evaluate@a"], "compare": "c"})
    book.file(RunRecord("pipeline 1", "p", tags={"tailwatch.children": listed}))
    assert trained_by(book.search("")) == {ids["evaluate@a"]: {ids["train@a"]}}
