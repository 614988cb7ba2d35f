"""Airflow on one machine with this project's DAGs: `make airflow`. What it keeps lies in .tailwatch/airflow.

Not for a network: one admin, a local database, loopback alone. Settings of another Airflow are not heard.
"""

import fcntl
import json
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("TAILWATCH_AIRFLOW_HOME") or ROOT / ".tailwatch" / "airflow").absolute()
SETTINGS = ("AIRFLOW_HOME", "AIRFLOW_CONFIG", "AIRFLOW__", "_AIRFLOW_")  # how their names begin
DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
HOST = "127.0.0.1"
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
READY_S = 300
STOP_S = 60
AIRFLOW = Path(sys.executable).parent / "airflow"
LAST_PORT = 64000  # further ones are those of the reports and the logs
MLFLOW = f"http://{HOST}:5000"


def main() -> int:
    """Start, tell, wait, stop; the exit code."""
    HOME.mkdir(parents=True, exist_ok=True)
    HOME.chmod(0o700)
    gpus = _gpus()
    try:
        port = _free_port(_wanted_port())
        held = _hold()  # until this process ends, however it ends
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    environ = _environment(port, gpus)
    (HOME / "logs").mkdir(exist_ok=True)
    print("Starting Airflow: a minute ...", flush=True)
    with (HOME / "logs" / "prepare.log").open("ab") as log:
        command = [sys.executable, __file__, "prepare", str(gpus)]
        if subprocess.run(command, env=environ, stdout=log, stderr=log, check=False).returncode:
            print(f"Airflow's database could not be prepared: see {log.name}", file=sys.stderr)
            return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is born deaf to it
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in COMPONENTS:
            running[name] = _start(name, ["-m", "airflow", name], environ)
        if _serves_reports():
            running["reports"] = _start("reports", _reports(environ), environ)
        _await_ready(port, running)
        _tell(port, gpus, environ)
        while True:
            _refuse_dead(running)
            time.sleep(1)
    except KeyboardInterrupt:
        return 0
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        print("\nStopping ...", flush=True)
        _stop(running)
        held.close()


def _hold() -> TextIO:
    """The lock of Airflow's home, so that no two schedulers share its database; it names who holds it.

    Raises:
        RuntimeError: another process holds it.
    """
    lock = (HOME / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise RuntimeError(
            f"Airflow already runs in {HOME}: {holder}. Stop it, or set TAILWATCH_AIRFLOW_HOME"
        ) from None
    lock.truncate(0)
    lock.write(f"process {os.getpid()}\n")
    lock.flush()
    return lock


def _wanted_port() -> int:
    """The port that PORT names, 8080 unless it is set.

    Raises:
        RuntimeError: it names none.
    """
    given = os.environ.get("PORT") or "8080"
    if not (given.isdecimal() and 1 <= int(given) <= LAST_PORT):
        raise RuntimeError(f"PORT is {given!r}. Wanted: a number from 1 to {LAST_PORT}")
    return int(given)


def _environment(port: int, gpus: int) -> dict[str, str]:
    """The variables of all parts: the caller's, but for settings of Airflow, which are this one's own."""
    address = f"http://{HOST}:{port}"
    secret = _secret()  # that all parts trust each other by
    found = {
        "AIRFLOW__API__SECRET_KEY": secret,
        "AIRFLOW__API_AUTH__JWT_SECRET": secret,
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(max(4, os.cpu_count() or 1)),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        DATABASE: f"sqlite:///{HOME}/airflow.db",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(_free_port(port + 713)),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(_free_port(port + 814)),
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "1800",
    }
    if _serves_reports():
        found["TAILWATCH_REPORTS_URL"] = f"http://{HOST}:{_free_port(port + 1)}"
    if not os.environ.get("MLFLOW_TRACKING_URI", "").startswith("http"):  # else links lead to that server
        found["TAILWATCH_MLFLOW_URL"] = MLFLOW
    if not gpus:
        found["TAILWATCH_GPU_ON_CPU"] = "1"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return {**found, **given, "PATH": path}


def _prepare(gpus: int) -> None:
    """The database, and the pools that params.yaml names; one that is there stays as it is."""
    sys.path.insert(0, str(ROOT / "dags"))
    from airflow.models.pool import Pool
    from airflow.utils.db import initdb
    from tailwatch_dags.graph import read_graph

    initdb()
    for resource in read_graph(ROOT).resources.values():
        slots = max(1, gpus) if resource.gpu else max(1, (os.cpu_count() or 1) // resource.cpu)
        told = f"{resource.cpu} cores, {resource.memory}, {resource.gpu} GPU a task"
        if Pool.get_pool(resource.pool) is None:
            Pool.create_or_update_pool(resource.pool, slots, told, include_deferred=False)


def _secret() -> str:
    path = HOME / "secret"
    if not path.is_file():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
    return path.read_text()


def _serves_reports() -> bool:
    """Whether reports are served here: not where another serves them, nor out of a bucket."""
    return "TAILWATCH_REPORTS_URL" not in os.environ and "://" not in os.environ.get("TAILWATCH_RUNS", "")


def _reports(environ: Mapping[str, str]) -> list[str]:
    """Serves what runs leave, so that a task's link to its report leads somewhere."""
    folder = Path(environ.get("TAILWATCH_RUNS") or ROOT / ".tailwatch" / "runs")
    folder.mkdir(parents=True, exist_ok=True)
    port = environ["TAILWATCH_REPORTS_URL"].rpartition(":")[2]
    return ["-m", "http.server", port, "--bind", HOST, "--directory", str(folder)]


def _start(name: str, arguments: list[str], environ: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    with (HOME / "logs" / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await_ready(port: int, running: "dict[str, subprocess.Popen[bytes]]") -> None:
    """Wait until every part answers and all DAGs are there.

    Raises:
        RuntimeError: a part ended, or time is up.
    """
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        _refuse_dead(running)
        health = _get(f"http://{HOST}:{port}/api/v2/monitor/health") or {}
        parts = [health.get(part, {}).get("status") for part in ("scheduler", "dag_processor", "triggerer")]
        if parts == ["healthy"] * 3 and _dags_loaded(port):
            return
        time.sleep(1)
    raise RuntimeError(f"Airflow was not ready within {READY_S} s: see {HOME}/logs")


def _dags_loaded(port: int) -> bool:
    wanted = {f"tailwatch_{path.stem}" for path in (ROOT / "dags").glob("*.py")}
    answer = _get(f"http://{HOST}:{port}/api/v2/dags", _token(port)) or {}
    return wanted <= {dag["dag_id"] for dag in answer.get("dags", ())}


def _token(port: int) -> str:
    asked = json.dumps({"username": "admin", "password": _password()}).encode()
    answer = _get(f"http://{HOST}:{port}/auth/token", data=asked) or {}
    return str(answer.get("access_token", ""))


def _password() -> str:
    """The admin's, as Airflow made it at its first start."""
    path = HOME / "simple_auth_manager_passwords.json.generated"
    return str(json.loads(path.read_text())["admin"]) if path.is_file() and path.stat().st_size else ""


def _get(address: str, token: str = "", data: bytes | None = None) -> dict[str, Any] | None:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(address, data, headers)  # noqa: S310  # loopback
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found
    except (OSError, urllib.error.URLError, ValueError):
        return None


def _tell(port: int, gpus: int, environ: Mapping[str, str]) -> None:
    address = f"http://{HOST}:{port}"
    where = f"{gpus} GPU" if gpus else "no GPU here: its tasks run in the CPU pool"
    mlflow = f".venv/bin/mlflow ui --backend-store-uri sqlite:///mlflow.db   then {MLFLOW}"
    if environ.get("TAILWATCH_MLFLOW_URL") != MLFLOW:
        mlflow = "the server that MLFLOW_TRACKING_URI or TAILWATCH_MLFLOW_URL names"
    print(
        f"""
Airflow:   {address}   user admin, password {_password()}
Retrain:   {address}/dags/tailwatch_retrain (Trigger), or in another terminal:
           {_airflow(environ)} dags trigger tailwatch_retrain --conf '{{"reason": "a first try"}}'
           A run works at the newest commit: edits of params.yaml count once they are committed.
MLflow:    {mlflow}
Machine:   {os.cpu_count()} cores, {where}
Logs:      {HOME}/logs

Ctrl-C stops all of it.""",
        flush=True,
    )


def _airflow(environ: Mapping[str, str]) -> str:
    """How a shell calls this Airflow, also one that names another's database."""
    names_another = "AIRFLOW_CONFIG" in os.environ or DATABASE in os.environ
    told = ["AIRFLOW_HOME", DATABASE] if names_another else ["AIRFLOW_HOME"]
    return " ".join([*(f"{name}={shlex.quote(environ[name])}" for name in told), shlex.quote(str(AIRFLOW))])


def _refuse_dead(running: "dict[str, subprocess.Popen[bytes]]") -> None:
    for name, process in running.items():
        if process.poll() is not None:
            log = HOME / "logs" / f"{name}.log"
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise RuntimeError(f"{tail}\n\nAirflow's {name} ended with {process.returncode}: see {log}")


def _stop(running: "dict[str, subprocess.Popen[bytes]]") -> None:
    """End every part with its children; tasks that run get their time to write a checkpoint."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for process in running.values():
        _signal(process, signal.SIGTERM)
    until = time.monotonic() + STOP_S
    for process in running.values():
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, until - time.monotonic()))
        _signal(process, signal.SIGKILL)


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _free_port(first: int) -> int:
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"No port is free from {first} on")


def _gpus() -> int:
    if not shutil.which("nvidia-smi"):
        return 0
    told = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in told.stdout.splitlines())


if __name__ == "__main__":
    sys.exit(_prepare(int(sys.argv[2])) if sys.argv[1:2] == ["prepare"] else main())
