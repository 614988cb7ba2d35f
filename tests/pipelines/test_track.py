"""MLflow after track says what outs/ says, and saying it again changes nothing."""

import json
import logging

import pytest

from components.core.errors import BadDataError, StorageError
from components.core.tables import write_csv
from components.tracking.store import TrackingStore
from pipelines import track
from pipelines.reporting.variations import FOLDER, columns
from tests.pipelines.promotion import Laid, lay_out


@pytest.fixture
def laid(mlflow_project, project_root) -> Laid:
    found = lay_out(mlflow_project, project_root)
    found.train("logistic", "fair")
    return found


def runs_of(laid: Laid) -> dict:
    book = track.open_book(laid.project)
    return {run.info.run_name: run for run in book.search("")}


def test_every_stage_has_its_run_under_the_state_of_the_lock(laid):
    track.run(laid.project)
    runs = runs_of(laid)
    parent = next(run for name, run in runs.items() if name.startswith("pipeline "))
    stages = {f"{stage}@{model}" for stage in ("train", "evaluate") for model in ("majority", "logistic")}
    assert set(runs) == {*stages, "compare", parent.info.run_name}
    assert {run.data.tags.get("mlflow.parentRunId") for name, run in runs.items() if name in stages} == {
        parent.info.run_id
    }
    assert json.loads(parent.data.tags["tailwatch.children"])["compare"] == runs["compare"].info.run_id


def test_where_they_are_filed_is_told_without_the_servers_password(laid, monkeypatch, caplog):
    book = track.open_book(laid.project)
    book.store = TrackingStore("http://jane:s3cret@127.0.0.1:9", None)
    monkeypatch.setattr(track, "open_book", lambda _: book)
    with caplog.at_level(logging.INFO, "tailwatch"):
        track.run(laid.project)
    assert "runs in http://127.0.0.1:9:" in caplog.text
    assert "s3cret" not in caplog.text


def test_numbers_are_those_of_the_files(laid):
    track.run(laid.project)
    run = runs_of(laid)["evaluate@logistic"]
    small = json.loads(laid.project.out("evaluate", "logistic", "metrics.json").read_text())
    assert run.data.metrics["test/accuracy"] == pytest.approx(small["test"]["accuracy"])
    assert run.data.metrics["test/accuracy_low"] == pytest.approx(small["test"]["accuracy_low"])
    assert run.data.metrics["test/n"] == 60
    assert run.data.params["threshold"] == "0.5"


def test_data_are_named_by_dvc_digests_and_not_copied(laid):
    track.run(laid.project)
    run = runs_of(laid)["train@logistic"]
    inputs = {one.dataset.name: one.dataset.digest for one in run.inputs.dataset_inputs}
    assert inputs == {"reshape.numbers": "1" * 32 + ".dir"}
    assert run.data.params["model.id"] == "logistic"
    assert run.data.params["train.seed"] == "27"
    assert run.data.tags["tailwatch.digest.data"] == "d" * 64
    artifacts = {path.name for path in (laid.root / "mlartifacts").rglob("*") if path.is_file()}
    assert {"bundle.json", "history.csv", "confusion.png", "roc.png", "models.png", "dvc.lock"} <= artifacts
    assert not [name for name in artifacts if name.endswith((".npy", ".npz"))]


def test_the_cards_of_every_model_lie_in_the_run_that_trained_it(laid):
    track.run(laid.project)
    book, run = track.open_book(laid.project), runs_of(laid)["train@logistic"]
    for name, said in (
        ("model_card.md", "**PROMOTE** while there is no champion"),
        ("data_card.md", "clips"),
    ):
        path = book.client.download_artifacts(run.info.run_id, name, str(laid.root))
        with open(path) as card:
            assert said in card.read()
    found = {item.path for item in book.client.list_artifacts(runs_of(laid)["train@majority"].info.run_id)}
    assert {"model_card.md", "data_card.md"} <= found


def test_variations_that_lie_there_are_runs_under_the_state(laid):
    judged = {"train_clips": 10, "epochs": 3, "val_accuracy": 0.8, "test_accuracy": 0.7, "key": "k1"}
    row = {"model": "logistic", "c": "0.5", "protocol": "holdout"}
    rows = [row | judged, row | {"c": "2.0", "failed": "the loss is no number"}]
    write_csv(laid.root / FOLDER / "logistic-c.csv", columns(("c",)), rows)
    done = track.run(laid.project)
    run = runs_of(laid)["vary@logistic c=0.5"]
    assert run.data.params == {"model.id": "logistic", "model.c": "0.5", "protocol": "holdout"}
    assert run.data.metrics == {"train_clips": 10, "epochs": 3, "val/accuracy": 0.8, "test/accuracy": 0.7}
    assert run.data.tags["mlflow.parentRunId"] == done.parent.run_id
    assert len(done.children) == 6
    assert track.run(laid.project).changed == 0


def test_a_second_time_does_nothing(laid, caplog):
    track.run(laid.project)
    with caplog.at_level(logging.INFO, "tailwatch"):
        again = track.run(laid.project)
    assert (again.created, again.changed) == (0, 0)
    assert "6 runs" in caplog.text
    assert "0 created, 0 brought up to date" in caplog.text


def test_only_what_changed_is_filed_anew(laid):
    before = runs_of_names(track.run(laid.project))
    laid.train("logistic", "oracle")
    done = track.run(laid.project)
    after = runs_of_names(done)
    assert {name for name in before if before[name] == after[name]} == {"train@majority", "evaluate@majority"}
    assert done.created == 4


def runs_of_names(done) -> dict[str, str]:
    return {run.name: run.run_id for run in done.children}


def test_no_lock(laid):
    (laid.root / "dvc.lock").unlink()
    with pytest.raises(BadDataError, match=r"dvc\.lock is not there.*run `dvc repro`"):
        track.run(laid.project)


def test_a_lock_without_a_model(laid):
    text = (laid.root / "dvc.lock").read_text()
    (laid.root / "dvc.lock").write_text(text.replace("train@logistic", "train@another"))
    with pytest.raises(BadDataError, match=r"dvc\.lock does not know train@logistic"):
        track.run(laid.project)


def test_no_server(laid, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(StorageError, match="refused or did not answer"):
        track.run(laid.project)
