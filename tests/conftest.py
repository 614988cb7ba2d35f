"""What tests share."""

import logging
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
for _name in [name for name in os.environ if name.startswith(("TAILWATCH_", "MLFLOW_", "AWS_", "AIRFLOW_"))]:
    if _name != "TAILWATCH_SEEDS":  # which `make soak` sets; the rest name a team's own server and buckets
        del os.environ[_name]
os.environ["TAILWATCH_SCORES"] = "none"  # what tests score is no clip of the checkout's
os.environ["SHELL"] = "/bin/sh"  # by which DVC runs stages: unlike bash, dash stays in front of its command
signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # which a script's background job has not, nor its children

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The checkout under test."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips that lies beside the checkout in development and on CI."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real clips are not here: {folder}")
    return folder


@pytest.fixture(scope="session")
def empty_mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with MLflow's tables and nothing in them: three seconds to make, nothing to copy."""
    from components.tracking.store import DATABASE, TrackingStore

    path = tmp_path_factory.mktemp("mlflow") / DATABASE
    TrackingStore(f"sqlite:///{path}", None).client.search_experiments()
    return path


@pytest.fixture
def mlflow_project(tmp_path: Path, empty_mlflow_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an empty tracking store of its own."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(empty_mlflow_database, tmp_path / empty_mlflow_database.name)
    return tmp_path


@pytest.fixture
def forked_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes that have what a test patched, also where another test has imported TensorFlow."""
    monkeypatch.setattr("components.core.parallel._context", lambda: "fork")


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """An S3 server on the loopback."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
