"""Where the store is, and that waiting for it is bounded."""

import os
from pathlib import Path

import pytest

from components.core.errors import StorageError, UsageError
from components.tracking.store import LIMITS, TrackingStore, limit_mlflow, open_store


@pytest.mark.parametrize(
    ("uri", "wanted", "has_folder"),
    [
        pytest.param(None, "sqlite:///{root}/mlflow.db", True, id="in the project"),
        pytest.param("", "sqlite:///{root}/mlflow.db", True, id="empty variable"),
        pytest.param("http://127.0.0.1:5000", "http://127.0.0.1:5000", False, id="server chooses its folder"),
        pytest.param("sqlite:////srv/other.db", "sqlite:////srv/other.db", True, id="another database"),
    ],
)
def test_place(monkeypatch, tmp_path, uri, wanted, has_folder):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if uri is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    store = open_store(tmp_path)
    assert store.uri == wanted.format(root=tmp_path)
    assert store.artifacts == ((tmp_path / "mlartifacts").as_uri() if has_folder else None)


def test_limits_leave_what_the_user_set(monkeypatch):
    for name in LIMITS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    limit_mlflow()
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


def test_experiment_is_made_once_with_artefacts_in_the_project(store, mlflow_project):
    first, second = store.experiment_id("one"), store.experiment_id("one")
    assert first == second
    assert store.client.get_experiment(first).artifact_location.startswith(
        (mlflow_project / "mlartifacts").as_uri()
    )


def test_deleted_experiment_says_how_to_restore_it(store):
    store.client.delete_experiment(store.experiment_id("gone"))
    with pytest.raises(UsageError, match=r"experiment gone .* is deleted.*mlflow experiments restore"):
        store.experiment_id("gone")


def test_no_server_is_a_storage_error_within_seconds(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    store = TrackingStore("http://127.0.0.1:9", None)
    with pytest.raises(
        StorageError, match=r"MLflow at http://127.0.0.1:9 refused or did not answer"
    ) as caught:
        store.experiment_id("tailwatch")
    assert caught.value.exit_code == 4


def test_a_place_where_no_database_can_be_is_a_storage_error(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="refused or did not answer"):
        TrackingStore(f"sqlite:///{tmp_path}/file/mlflow.db", None).experiment_id("tailwatch")
