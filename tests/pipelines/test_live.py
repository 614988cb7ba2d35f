"""Training in sight of MLflow: its run is the one that track finds."""

import pytest
import yaml

from components.core.code import code_digest
from components.core.errors import FinalError
from components.models.registry import MODELS
from pipelines import live, train
from pipelines.provenance import read_provenance
from pipelines.records import train_record
from pipelines.tasks import LEARNING_CODE
from pipelines.track import open_book
from tests.pipelines.promotion import Laid, lay_out


@pytest.fixture
def laid(mlflow_project, project_root) -> Laid:
    found = lay_out(mlflow_project, project_root)
    found.train("logistic", "fair")
    return found


def statuses(laid: Laid) -> dict[str, str]:
    return {run.info.run_name: run.info.status for run in open_book(laid.project).search("")}


def in_epochs(monkeypatch, run) -> None:
    """Make the registered baseline count as a network that `run` trains."""
    monkeypatch.setattr(live, "KerasDefinition", object)
    monkeypatch.setattr(train, "run", run)


def test_the_key_is_known_before_the_first_epoch(laid, monkeypatch):
    path = laid.root / "dvc.lock"
    lock = yaml.safe_load(path.read_text())
    view = lock["stages"]["train@logistic"]["deps"]
    outs = [{"path": name, "md5": "4" * 32} for name in live.data_read(laid.project, "logistic")]
    lock["stages"]["train@logistic"]["deps"] = outs + [
        one for one in view if one["path"].startswith("components")
    ]
    lock["stages"]["train@logistic"]["params"]["params.yaml"] = live.stage_params(laid.project, "logistic")
    lock["stages"]["reshape@numbers"] = {"cmd": "tailwatch reshape numbers", "outs": outs}
    path.write_text(yaml.safe_dump(lock))
    observer = live.watch(laid.project, "logistic")
    code = code_digest(*LEARNING_CODE, MODELS.module("logistic"))
    bundle = laid.project.out("train", "logistic", "bundle.json")
    bundle.write_text(bundle.read_text().replace("fair 8.0", code))
    filed = train_record(laid.project, "logistic", read_provenance(laid.root))
    assert observer.record.key == filed.key


def test_it_watches_what_dvc_declares(project_root, laid):
    declared = yaml.safe_load((project_root / "dvc.yaml").read_text())["stages"]["train"]["do"]
    assert len([dep for dep in declared["deps"] if dep.startswith("outs/")]) == len(
        live.data_read(laid.project, "logistic")
    )
    params = live.stage_params(laid.project, "logistic")
    assert {"models.logistic", "views.numbers", "train", "dataset.classes"} <= set(params)
    assert len(params) == len(declared["params"])


def test_a_model_without_epochs_is_not_watched(laid, monkeypatch):
    given = []
    monkeypatch.setattr(train, "run", lambda *arguments: given.append(arguments))
    live.train_watched(laid.project, "logistic")
    assert given == [(laid.project, "logistic")]
    assert statuses(laid) == {}


def test_a_training_is_there_from_start_to_end(laid, monkeypatch):
    def trained(_, __, observer):
        observer.on_start({"train_clips": 10})
        observer.on_epoch(1, {"epoch": 1, "loss": 0.5})
        assert statuses(laid) == {"train@logistic": "RUNNING"}
        observer.on_end({"epochs": 1, "stopped": "epochs"})

    in_epochs(monkeypatch, trained)
    live.train_watched(laid.project, "logistic")
    assert statuses(laid) == {"train@logistic": "FINISHED"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(FinalError("loss is NaN", wanted="-", remedy="-"), "FAILED", id="it failed"),
        pytest.param(SystemExit(143), "KILLED", id="the pod was evicted"),
        pytest.param(KeyboardInterrupt(), "KILLED", id="somebody stopped it"),
    ],
)
def test_a_training_that_comes_to_no_end(laid, monkeypatch, error, status):
    def broken(_, __, observer):
        observer.on_start({})
        raise error

    in_epochs(monkeypatch, broken)
    with pytest.raises(type(error)):
        live.train_watched(laid.project, "logistic")
    assert statuses(laid) == {"train@logistic": status}


def test_before_the_first_stage_there_is_no_lock(laid):
    (laid.root / "dvc.lock").unlink()
    assert live.watch(laid.project, "logistic").record.origin["tailwatch.dvc_lock"] == ""
