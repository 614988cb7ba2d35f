"""People are told by a webhook; whatever becomes of it, nothing else fails."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from tailwatch_dags import notify
from tailwatch_dags.notify import WEBHOOK, Notifier

RUN_ID = "manual__2026-11-21T10:00:00+00:00"
DAG_RUN = SimpleNamespace(run_type="manual", conf={"reason": "new camera"})
CONTEXT = {"dag": SimpleNamespace(dag_id="tailwatch_retrain"), "run_id": RUN_ID, "dag_run": DAG_RUN}


@pytest.fixture
def server():
    """A loopback server that answers as its path says; what it was sent."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if self.path == "/silent":
                time.sleep(5)
            elif self.path == "/nonsense":
                self.wfile.write(b"NONSENSE\r\n\r\n")
            elif self.path != "/hangs-up":
                self.send_response(int(self.path[1:]))
                self.end_headers()

        def log_message(self, *_):
            return

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}", heard
    running.shutdown()
    running.server_close()


def test_a_webhook_is_told_ids_and_where_to_look(server, monkeypatch):
    address, heard = server
    monkeypatch.setenv(WEBHOOK, f"{address}/200")
    Notifier("failed")(CONTEXT)
    assert heard == [
        {
            "event": "failed",
            "dag": "tailwatch_retrain",
            "run": RUN_ID,
            "reason": "new camera",
            "url": "http://airflow.example/dags/tailwatch_retrain/runs/"
            "manual__2026-11-21T10%3A00%3A00%2B00%3A00",
            "text": f"tailwatch_retrain {RUN_ID} (new camera) failed",
        }
    ]


@pytest.mark.parametrize("path", ["500", "silent", "nonsense", "hangs-up"])
def test_a_webhook_that_does_not_take_it_keeps_nothing_from_going_on(path, server, monkeypatch):
    address, heard = server
    monkeypatch.setattr(notify, "TIMEOUT_S", 2)
    monkeypatch.setenv(WEBHOOK, f"{address}/{path}")
    Notifier("held")(CONTEXT)
    assert len(heard) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/", "nonsense", "http://a b/", "http://[::1"])
def test_an_address_that_nobody_has_keeps_nothing_from_going_on(address, monkeypatch):
    monkeypatch.setenv(WEBHOOK, address)
    Notifier("held")(CONTEXT)


def test_a_run_of_which_airflow_tells_little_is_told_all_the_same(server, monkeypatch):
    address, heard = server
    monkeypatch.setenv(WEBHOOK, f"{address}/200")
    Notifier("failed")({name: value for name, value in CONTEXT.items() if name != "dag_run"})
    assert (heard[0]["event"], heard[0]["run"]) == ("failed", RUN_ID)
