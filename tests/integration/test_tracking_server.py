"""A real MLflow server on the loopback: used, killed in the middle, started again."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from components.core.errors import StorageError
from components.tracking.champion import history, promote, rollback
from components.tracking.claims import Claims, PromotionConflictError
from components.tracking.live import LiveRun
from components.tracking.records import Point, RunRecord
from components.tracking.registry import ModelRegistry
from components.tracking.runs import RunBook
from components.tracking.store import TrackingStore, open_store
from components.tracking.traces import RunTraces

pytestmark = pytest.mark.slow

READY_WITHIN_S = 120
MOST_ATTEMPTS = 12


class Server:
    """`mlflow server` over a database and a folder of its own, at one port however often it is started."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        environment = {
            **os.environ,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        environment.pop("MLFLOW_TRACKING_URI", None)
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        deadline_s = time.monotonic() + READY_WITHIN_S
        while not self.answers():
            assert time.monotonic() < deadline_s, (self.folder / "server.log").read_text()
            time.sleep(0.5)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2) as answer:  # noqa: S310
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
            while self._listens():  # its workers end a little later
                time.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @contextmanager
    def gone(self) -> Iterator[list[None]]:
        """The server is killed until the end; one item for each connection that is tried."""
        self.kill()
        tried: list[None] = []

        def refuse() -> None:
            with suppress(OSError):
                while True:
                    listener.accept()[0].close()
                    tried.append(None)

        with socket.create_server(("127.0.0.1", self.port)) as listener:
            refusing = threading.Thread(target=refuse, daemon=True)
            refusing.start()
            yield tried
            listener.shutdown(socket.SHUT_RDWR)
            refusing.join()
        self.start()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("server"))
    found.start()
    yield found
    found.kill()


@pytest.fixture
def store(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TrackingStore:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    return open_store(tmp_path)


def bundle_model(folder: Path) -> Path:
    (folder / "model" / "artifacts" / "bundle").mkdir(parents=True)
    (folder / "model" / "MLmodel").write_text("flavors: {}\n")
    (folder / "model" / "artifacts" / "bundle" / "bundle.json").write_text("{}")
    return folder / "model"


def test_versions_and_moves_over_http(store, tmp_path):
    book, registry = RunBook(store, "over-http"), ModelRegistry(store, "over-http")
    run_id, _ = book.ensure(RunRecord("train@fusion", "key"))
    folder = bundle_model(tmp_path)
    v1, v2, again = (
        registry.register(bundle, lambda: folder, "over-http", {"tailwatch.model_id": "fusion"}, run_id)
        for bundle in ("b1", "b2", "b1")
    )
    assert (v1.number, v2.number, again.number) == (1, 2, 1)
    promote(registry, None, v1, by="gate", reason="first", tags={"tailwatch.verdict": "PROMOTE"})
    seen = registry.champion()
    promote(registry, seen, v2, by="gate", reason="better", tags={})
    with pytest.raises(PromotionConflictError):
        promote(registry, seen, v2, by="gate", reason="too late", tags={}, patience_s=1.0)
    rollback(registry, by="ann", reason="false alarms")
    assert [(move.action, move.version) for move in history(registry)] == [
        ("rollback", 1),
        ("promote", 2),
        ("promote", 1),
    ]
    fetched = registry.download(registry.champion(), tmp_path / "fetched")
    assert (fetched / "artifacts" / "bundle" / "bundle.json").read_text() == "{}"


def test_a_number_is_given_once_also_after_its_experiment_is_deleted(store):
    claims = Claims(store, "numbers", patience_s=1.0)
    assert [claims.take(0, lambda: True).number for _ in range(2)] == [1, 2]
    assert claims.highest() == 2


def test_a_run_with_everything_over_http(store, tmp_path):
    record = RunRecord(
        "train@fusion",
        "everything",
        params={f"p{k:03d}": k for k in range(250)},
        metrics=[Point("loss", 1 / k, k) for k in range(1, 1500)],
        artifacts={"plots/roc.png": b"png"},
    )
    book = RunBook(store, "everything")
    first, second = book.file(record), book.file(record)
    assert (first.created, second.created, second.changed) == (True, False, False)
    assert (
        Path(book.client.download_artifacts(first.run_id, "plots/roc.png", str(tmp_path))).read_bytes()
        == b"png"
    )


def test_traces_of_a_clip_are_removed_over_http(store):
    def names(content: bytes) -> bool:
        return b"stalking/a.mp4" in content

    artifacts = {"predictions.csv": b"clip_id\nstalking/a.mp4\nb.mp4\n", "x/worst.json": b'"stalking/a.mp4"'}
    book = RunBook(store, "forgets")
    run_id = book.file(
        RunRecord("evaluate@fusion", "forgets", tags={"worst": "stalking/a.mp4"}, artifacts=artifacts)
    ).run_id
    traces = RunTraces(store, names)
    (run,) = [run for run in traces.runs() if run.info.run_id == run_id]
    for trace in list(traces.find(run)):
        traces.remove(trace)
    (run,) = [run for run in traces.runs() if run.info.run_id == run_id]
    assert list(traces.find(run)) == []
    assert traces.read(run_id, "predictions.csv") == b"clip_id\nb.mp4\n"
    assert book.client.list_artifacts(run_id, "x") == []


def test_a_server_that_dies_in_the_middle_costs_few_attempts_and_no_epoch(server, store, caplog):
    epochs = range(1, 7)
    losses = {epoch: 1 / epoch for epoch in epochs}
    live = LiveRun(lambda: RunBook(store, "dies"), RunRecord("train@fusion", "dies", params={"epochs": 6}))
    live.on_start({"train_clips": 10})
    for epoch in epochs[:2]:
        live.on_epoch(epoch, {"loss": losses[epoch]})
    with caplog.at_level(logging.WARNING, "tailwatch"), server.gone() as tried:
        for epoch in epochs[2:]:
            live.on_epoch(epoch, {"loss": losses[epoch]})
        live.on_end({"epochs": 6})
    assert 0 < len(tried) <= MOST_ATTEMPTS
    assert len([record for record in caplog.records if "goes on without MLflow" in record.message]) == 1
    record = RunRecord(
        "train@fusion", "dies", params={"epochs": 6}, metrics=[Point("loss", losses[k], k) for k in epochs]
    )
    book = RunBook(store, "dies")
    filed = book.file(record)
    points = book.client.get_metric_history(filed.run_id, "loss")
    assert (filed.run_id, filed.created) == (live.run_id, False)
    assert [(point.step, point.value) for point in points] == list(losses.items())
    assert book.client.get_run(filed.run_id).info.status == "FINISHED"


def test_a_server_that_is_gone_leaves_the_champion_where_it_was(server, store, tmp_path):
    book, registry = RunBook(store, "gone"), ModelRegistry(store, "gone")
    run_id, _ = book.ensure(RunRecord("train@fusion", "key"))
    folder = bundle_model(tmp_path)
    v1, v2 = (registry.register(bundle, lambda: folder, "gone", {}, run_id) for bundle in ("b1", "b2"))
    promote(registry, None, v1, by="gate", reason="first", tags={})
    champion = registry.champion()
    with server.gone() as tried, pytest.raises(StorageError, match="refused or did not answer"):
        promote(registry, champion, v2, by="gate", reason="better", tags={})
    assert 0 < len(tried) <= MOST_ATTEMPTS
    assert registry.champion() == champion
    assert promote(registry, champion, v2, by="gate", reason="better", tags={}).version == 2
