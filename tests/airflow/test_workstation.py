"""`make airflow` for real: a run by the real scheduler, held, approved by a person, and all of it stopped."""

import importlib.util
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.models.pool import Pool

from .conftest import ROOT
from .rest import approve, ask, processes_of

HOLD = {"decision": "HOLD", "promoted": False, "model": "fusion", "version": 3, "champion": 2}
APPROVED = {**HOLD, "promoted": True}
DRIFTED = {"drifted": True, "n": 120, "columns": ["a_yaw", "coverage"], "key": "3-abc"}
RUN_S = 900


class Airflow:
    """The running one, by its REST interface."""

    def __init__(self, address, password):
        self.address = address
        asked = {"username": "admin", "password": password}
        self.token = ask("POST", f"{address}/auth/token", asked)["access_token"]

    def __call__(self, method, path, data=None):
        return ask(method, f"{self.address}{path}", data, self.token)

    def until(self, path, seconds, is_so):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self("GET", path)
            if is_so(found):
                return found
            time.sleep(2)
        pytest.fail(f"{path} still says {found}")


@pytest.fixture
def airflow(tmp_path, stub, monkeypatch):
    said = {"promote": HOLD, "promote --approve=admin": APPROVED, "drift": DRIFTED}
    stub.plan({name: {"answer": answer} for name, answer in said.items()})
    clips = tmp_path / "clips"
    clips.mkdir()
    home = tmp_path / "airflow"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environ |= {"TAILWATCH_AIRFLOW_HOME": str(home), "TAILWATCH_DATASET_ROOT": str(clips), "PORT": "18080"}
    process = subprocess.Popen(
        [sys.executable, "infra/airflow/workstation.py"],
        preexec_fn=_as_in_the_background,
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        told = ""
        for line in process.stdout:
            told += line
            if "Ctrl-C stops" in line:
                break
        found = re.search(r"Airflow: +(\S+) +user admin, password (\S+)", told)
        assert found, told
        yield Airflow(*found.groups())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    finally:
        left = processes_of(home)
        for one in left:
            os.kill(one, signal.SIGKILL)
    assert (process.returncode, left) == (0, [])


def _as_in_the_background():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts what ends with `&`


def loaded():
    spec = importlib.util.spec_from_file_location("workstation", ROOT / "infra/airflow/workstation.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def workstation(tmp_path, monkeypatch):
    """The module, at home in a folder of its own, without anything that it would start."""
    module = loaded()
    monkeypatch.setattr(module, "HOME", tmp_path)
    monkeypatch.setattr(module, "_gpus", lambda: 0)
    return module


def test_a_second_start_says_who_runs_and_starts_nothing(workstation, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it prepared the database"))
    with workstation._hold():
        assert workstation.main() == 2
    said = capsys.readouterr().err
    assert said.startswith(f"Airflow already runs in {tmp_path}: process {os.getpid()}.")
    workstation._hold().close()  # it is let go of


@pytest.mark.parametrize("port", ["abc", "70000", "0", "-1", "²"])
def test_a_port_that_cannot_be_meant_is_told_in_one_line(port, workstation, monkeypatch, capsys):
    monkeypatch.setenv("PORT", port)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it prepared the database"))
    assert workstation.main() == 2
    assert capsys.readouterr().err == f"PORT is {port!r}. Wanted: a number from 1 to 64000\n"


@pytest.mark.parametrize(
    ("tracking", "link"),
    [
        pytest.param("https://mlflow.example", None, id="a team's server"),
        pytest.param("sqlite:///mlflow.db", "http://127.0.0.1:5000", id="a file"),
        pytest.param("", "http://127.0.0.1:5000", id="unset"),
    ],
)
def test_links_lead_to_the_server_that_is_tracked_on(tracking, link, workstation, monkeypatch):
    monkeypatch.delenv("TAILWATCH_MLFLOW_URL", raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    assert workstation._environment(18080, 0).get("TAILWATCH_MLFLOW_URL") == link


def test_settings_of_another_airflow_are_not_heard(workstation, tmp_path, monkeypatch):
    for name in ("AIRFLOW_HOME", "AIRFLOW_CONFIG", "AIRFLOW__CELERY__BROKER_URL", workstation.DATABASE):
        monkeypatch.setenv(name, "/another")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    environ = workstation._environment(18080, 0)
    assert "/another" not in environ.values()
    assert environ["AIRFLOW_HOME"] == str(tmp_path)
    assert environ[workstation.DATABASE] == f"sqlite:///{tmp_path}/airflow.db"
    assert environ["AIRFLOW_CONN_AWS_DEFAULT"] == "aws://"


@pytest.mark.parametrize(
    ("environ", "home"),
    [
        pytest.param({"AIRFLOW_HOME": "/another"}, ROOT / ".tailwatch" / "airflow", id="the project's"),
        pytest.param({"TAILWATCH_AIRFLOW_HOME": "/own"}, Path("/own"), id="as named"),
    ],
)
def test_the_workstation_has_a_home_of_its_own(environ, home, monkeypatch):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert home == loaded().HOME


def test_a_pool_that_a_person_changed_stays(workstation, database):
    kept = 7
    Pool.create_or_update_pool("cpu", kept, "", include_deferred=False)
    Pool.delete_pool("gpu")
    workstation._prepare(2)
    assert (Pool.get_pool("cpu").slots, Pool.get_pool("gpu").slots) == (kept, 2)


@pytest.mark.parametrize("exported", ["", "AIRFLOW_CONFIG", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
def test_the_command_that_is_printed_is_a_shells(exported, workstation, tmp_path, monkeypatch):
    monkeypatch.delenv(workstation.DATABASE, raising=False)
    if exported:
        monkeypatch.setenv(exported, "another")
    home = tmp_path / "my airflow"
    monkeypatch.setattr(workstation, "HOME", home)
    monkeypatch.setattr(workstation, "AIRFLOW", tmp_path / "my bin" / "airflow")
    home.mkdir()
    words = shlex.split(workstation._airflow(workstation._environment(18080, 0)))
    assert (words[0], words[-1]) == (f"AIRFLOW_HOME={home}", f"{tmp_path}/my bin/airflow")
    assert words[1:-1] == [f"{workstation.DATABASE}=sqlite:///{home}/airflow.db"] * bool(exported)


@pytest.mark.parametrize(
    ("runs", "served"), [("", True), ("/data/runs", True), ("s3://team/runs", False)], ids=str
)
def test_reports_in_a_bucket_have_no_link(runs, served, workstation, monkeypatch):
    monkeypatch.setenv("TAILWATCH_RUNS", runs)
    assert ("TAILWATCH_REPORTS_URL" in workstation._environment(18080, 0)) is served
    assert workstation._serves_reports() is served


def test_what_was_started_before_a_signal_is_stopped(workstation, monkeypatch):
    started, stopped = {}, {}

    def start(name, *_):
        if started:
            raise SystemExit(143)
        started[name] = object()
        return started[name]

    parts = {"_environment": lambda *_: {}, "_start": start, "_stop": stopped.update}
    for name, part in parts.items():
        monkeypatch.setattr(workstation, name, part)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=0))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit):
        workstation.main()
    assert stopped == started != {}


def test_runs_of_the_real_scheduler(airflow, stub):
    _a_held_run_is_approved_by_a_person(airflow, stub)
    _drift_opens_one_retraining_without_promotion(airflow)


def _a_held_run_is_approved_by_a_person(airflow, stub):
    runs = "/api/v2/dags/tailwatch_retrain/dagRuns"
    assert airflow("GET", runs)["dag_runs"] == []  # nothing starts by being there
    with pytest.raises(urllib.error.HTTPError):
        airflow("POST", runs, {"logical_date": None, "conf": {"promote": "maybe"}})
    run = airflow("POST", runs, {"logical_date": None, "conf": {"reason": "a test"}})["dag_run_id"]
    path = f"{runs}/{urllib.request.quote(run)}"
    assert approve(airflow, path, RUN_S) == "success"
    airflow.until(path, RUN_S, lambda found: found["state"] in ("success", "failed"))
    states = airflow("GET", f"{path}/taskInstances?limit=100")["task_instances"]
    assert {one["state"] for one in states} == {"success"}
    assert stub.lines[-1].endswith("--approve=admin")


def _drift_opens_one_retraining_without_promotion(airflow):
    states = []
    for _ in range(2):
        drift = _run(airflow, "tailwatch_drift", {})
        states.append(airflow("GET", f"{drift}/taskInstances/retrain")["state"])
    assert states == ["success", "skipped"]
    opened = "/api/v2/dags/tailwatch_retrain/dagRuns/drift__3-abc"
    found = airflow.until(opened, RUN_S, lambda found: found["state"] in ("success", "failed"))
    assert found["conf"] == {"reason": "drift of a_yaw, coverage over 120 clips", "promote": False}
    assert airflow("GET", f"{opened}/taskInstances/promote")["state"] == "skipped"
    assert airflow("GET", f"{opened}/taskInstances/finish")["state"] == "success"


def _run(airflow, dag_id, conf):
    """The path of a run that has ended well."""
    runs = f"/api/v2/dags/{dag_id}/dagRuns"
    run = airflow("POST", runs, {"logical_date": None, "conf": conf})["dag_run_id"]
    path = f"{runs}/{urllib.request.quote(run)}"
    ended = airflow.until(path, RUN_S, lambda found: found["state"] in ("success", "failed"))
    assert ended["state"] == "success"
    return path
