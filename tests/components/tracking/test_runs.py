"""One run per key, whatever happens twice."""

import math

import pytest

from components.core.errors import StorageError
from components.tracking.records import DataInput, Point, RunRecord
from components.tracking.runs import RunBook

RECORD = RunRecord(
    "train@fusion",
    "key-1",
    params={"optimizer": {"rate": 0.001}, "layers": list(range(3)), **{f"p{k:03d}": k for k in range(230)}},
    metrics=[Point("loss", 1 / (k + 1), k) for k in range(30)] + [Point("accuracy", 0.9)],
    tags={"git.commit": "abc"},
    inputs=[DataInput("tensors", "0" * 32 + ".dir", "outs/reshape/people128", "training")],
    artifacts={"plots/roc.png": b"png", "bundle.json": b"{}"},
)


def test_everything_of_a_record_is_there(book: RunBook, tmp_path):
    filed = book.file(RECORD)
    run = book.client.get_run(filed.run_id)
    assert (filed.created, filed.changed) == (True, True)
    assert run.info.run_name == "train@fusion"
    assert run.info.status == "FINISHED"
    assert run.data.params["optimizer.rate"] == "0.001"
    assert len(run.data.params) == 232
    assert run.data.metrics["accuracy"] == 0.9
    assert run.data.tags["git.commit"] == "abc"
    history = book.client.get_metric_history(filed.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(k, 1 / (k + 1)) for k in range(30)]
    data = run.inputs.dataset_inputs[0]
    assert (data.dataset.name, data.dataset.digest, data.tags[0].value) == (
        "tensors",
        "0" * 32 + ".dir",
        "training",
    )
    assert (tmp_path / "mlartifacts").is_dir()
    assert {found.path for found in book.client.list_artifacts(filed.run_id)} == {"plots", "bundle.json"}
    assert book.client.download_artifacts(filed.run_id, "plots/roc.png", str(tmp_path)).endswith("roc.png")


def test_filing_again_adds_nothing(book: RunBook):
    first = book.file(RECORD)
    before = book.client.get_run(first.run_id).to_dictionary()
    second = book.file(RECORD)
    assert (second.run_id, second.created, second.changed) == (first.run_id, False, False)
    assert book.client.get_run(first.run_id).to_dictionary() == before


def test_more_metrics_are_added_by_name_and_step(book: RunBook):
    run_id = book.file(RunRecord("train@a", "k", metrics=[Point("loss", 0.5, 0)])).run_id
    book.file(RunRecord("train@a", "k", metrics=[Point("loss", 0.7, 0), Point("loss", 0.4, 1)]))
    history = book.client.get_metric_history(run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(0, 0.5), (1, 0.4)]


def test_a_deleted_run_is_made_again(book: RunBook):
    first = book.file(RECORD)
    book.client.delete_run(first.run_id)
    again = book.file(RECORD)
    assert again.created
    assert again.run_id != first.run_id


def test_two_runs_of_one_key_are_settled_for_the_first(book: RunBook):
    first = book.file(RunRecord("train@a", "k"))
    book.client.create_run(book.experiment_id, tags={"tailwatch.run_key": "k"})
    assert book.file(RunRecord("train@a", "k")).run_id == first.run_id


def test_an_interrupted_filing_goes_on(book: RunBook, monkeypatch):
    def no_disk(*_: object) -> None:
        from mlflow import MlflowException

        raise MlflowException("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(book.client, "log_artifacts", no_disk)
        with pytest.raises(StorageError, match="no space left"):
            book.file(RECORD)
    run_id = book.search("")[0].info.run_id
    filed = book.file(RECORD)
    assert (filed.run_id, filed.created, filed.changed) == (run_id, False, True)
    assert len(book.client.get_metric_history(run_id, "loss")) == 30


def test_not_a_number_is_kept_as_such(book: RunBook):
    run_id = book.file(RunRecord("train@a", "k", metrics=[Point("loss", math.nan, 0)])).run_id
    assert math.isnan(book.client.get_run(run_id).data.metrics["loss"])


def test_search_turns_the_pages(book: RunBook, monkeypatch):
    monkeypatch.setattr("components.tracking.runs.SEARCHED_PER_CALL", 2)
    for k in range(5):
        book.ensure(RunRecord(f"train@{k}", f"k{k}"))
    assert len(book.search("")) == 5
