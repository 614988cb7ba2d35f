"""Where the store is, and that waiting for it is bounded."""

import os
import sqlite3
from pathlib import Path

import pytest

from components.core.errors import StorageError, UsageError
from components.tracking.store import LIMITS, TrackingStore, limit_mlflow, open_store


@pytest.mark.parametrize(
    ("uri", "wanted", "folder"),
    [
        pytest.param(None, "sqlite:///{root}/mlflow.db", "{root}/mlartifacts", id="in the project"),
        pytest.param("", "sqlite:///{root}/mlflow.db", "{root}/mlartifacts", id="empty variable"),
        pytest.param("http://127.0.0.1:5000", "http://127.0.0.1:5000", None, id="server chooses its folder"),
        pytest.param(
            "sqlite:////srv/other.db", "sqlite:////srv/other.db", "/srv/mlartifacts", id="another database"
        ),
    ],
)
def test_place(monkeypatch, tmp_path, uri, wanted, folder):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if uri is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    store = open_store(tmp_path)
    assert store.uri == wanted.format(root=tmp_path)
    assert store.artifacts == (folder and Path(folder.format(root=tmp_path)).as_uri())


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


def test_a_server_that_is_away_is_told_without_its_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(StorageError, match=r"MLflow at http://127\.0\.0\.1:9 refused") as caught:
        TrackingStore("http://jane:s3cret@127.0.0.1:9", None).experiment_id("tailwatch")
    assert "s3cret" not in str(caught.value)


@pytest.fixture
def database(mlflow_project):
    return mlflow_project / "mlflow.db"


def locked(database):
    """Held by another writer; the address keeps the test from waiting for it."""
    writer = sqlite3.connect(database)
    writer.execute("BEGIN EXCLUSIVE")
    return writer


def damaged(database):
    database.write_bytes(database.read_bytes()[:20_000] + bytes(20_000))


def of_another_kind(database):
    database.write_text("no database" * 1000)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(locked, "database is locked", id="locked"),
        pytest.param(damaged, "malformed", id="damaged"),
        pytest.param(of_another_kind, "not a database", id="no database"),
    ],
)
def test_a_database_that_cannot_be_opened_is_a_storage_error(database, spoil, reason):
    held = spoil(database)
    with pytest.raises(StorageError, match=f"refused or did not answer: .*{reason}") as caught:
        TrackingStore(f"sqlite:///{database}?timeout=0.01", None).experiment_id("tailwatch")
    assert "\n" not in str(caught.value)
    del held


def test_a_database_without_its_driver_is_a_usage_error():
    with pytest.raises(UsageError, match=r"postgresql://db/runs needs what is not installed: .*psycopg"):
        TrackingStore("postgresql://jane:s3cret@db/runs", None).experiment_id("tailwatch")


def test_a_place_where_no_database_can_be_is_a_storage_error(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="refused or did not answer"):
        TrackingStore(f"sqlite:///{tmp_path}/file/mlflow.db", None).experiment_id("tailwatch")
