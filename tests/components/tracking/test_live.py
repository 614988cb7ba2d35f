"""Training is written down while it runs, and goes on when it cannot be."""

import logging

from components.core.errors import StorageError
from components.tracking.live import LiveRun
from components.tracking.records import Point, RunRecord
from components.tracking.runs import RunBook
from components.tracking.store import TrackingStore, open_store

RECORD = RunRecord("train@fusion", "key", params={"epochs": 3})


def test_epochs_appear_and_the_projection_finds_them(book: RunBook):
    live = LiveRun(lambda: book, RECORD)
    live.on_start({"clips": {"train": 4}})
    assert book.client.get_run(live.run_id).info.status == "RUNNING"
    for epoch in (1, 2, 3):
        live.on_epoch(epoch, {"loss": 1.0 - epoch / 10, "val_loss": 2.0})
    live.on_end({"best_epoch": 2, "stopped": "patience"})
    points = [Point("loss", 1.0 - epoch / 10, epoch) for epoch in (1, 2, 3)]
    filed = book.file(RunRecord("train@fusion", "key", params={"epochs": 3}, metrics=points))
    assert (filed.run_id, filed.created) == (live.run_id, False)
    run = book.client.get_run(filed.run_id)
    assert len(book.client.get_metric_history(filed.run_id, "loss")) == 3
    assert run.data.metrics["best_epoch"] == 2
    assert run.data.tags["tailwatch.training.stopped"] == "patience"
    assert run.info.status == "FINISHED"


def test_a_retry_goes_on_in_the_same_run(book: RunBook):
    first, retry = LiveRun(lambda: book, RECORD), LiveRun(lambda: book, RECORD)
    first.on_start({"clips": {"train": 4}})
    first.on_epoch(0, {"loss": 0.5})
    first.abort("KILLED")
    retry.on_start({"clips": {"train": 4}})
    assert book.client.get_run(retry.run_id).info.status == "RUNNING"
    retry.on_epoch(0, {"loss": 0.5})
    retry.on_epoch(1, {"loss": 0.4})
    retry.on_end({"best_epoch": 2, "stopped": "patience"})
    history = book.client.get_metric_history(first.run_id, "loss")
    assert (retry.run_id, [point.step for point in history]) == (first.run_id, [0, 1])


def test_no_server_at_the_start_warns_once(monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    live = LiveRun(lambda: RunBook(TrackingStore("http://127.0.0.1:9", None), "tailwatch"), RECORD)
    with caplog.at_level(logging.WARNING, "tailwatch"):
        live.on_start({"clips": {"train": 4}})
        live.on_epoch(0, {"loss": 0.5})
        live.on_end({"best_epoch": 2, "stopped": "patience"})
    assert len(caplog.records) == 1
    assert "train@fusion goes on without MLflow (`tailwatch track` files it later)" in caplog.text


def test_a_damaged_database_ends_no_training(mlflow_project, caplog):
    (mlflow_project / "mlflow.db").write_text("no database" * 1000)
    live = LiveRun(lambda: RunBook(open_store(mlflow_project), "tailwatch"), RECORD)
    with caplog.at_level(logging.WARNING, "tailwatch"):
        live.on_start({"clips": {"train": 4}})
        live.on_epoch(0, {"loss": 0.5})
    assert "train@fusion goes on without MLflow" in caplog.text


def test_a_server_lost_in_the_middle_warns_once(book: RunBook, monkeypatch, caplog):
    live = LiveRun(lambda: book, RECORD)
    live.on_start({"clips": {"train": 4}})
    live.on_epoch(0, {"loss": 0.5})

    def lost(*_: object) -> None:
        raise StorageError("no answer", wanted="one", remedy="wait")

    monkeypatch.setattr(book, "add_metrics", lost)
    with caplog.at_level(logging.WARNING, "tailwatch"):
        live.on_epoch(1, {"loss": 0.4})
        live.on_epoch(2, {"loss": 0.3})
        live.on_end({"best_epoch": 2, "stopped": "patience"})
    assert len(caplog.records) == 1
