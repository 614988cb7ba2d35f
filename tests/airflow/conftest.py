"""Tests in the airflow environment (`make airflow-test`); the ml environment, without Airflow, skips them."""

import importlib.util
import json
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
HOME = Path(tempfile.mkdtemp(prefix="tailwatch-airflow-"))
DIGEST = "a" * 64
MODES = {
    "local": {},
    "celery": {"TAILWATCH_EXECUTION": "celery"},
    "kubernetes": {
        "TAILWATCH_EXECUTION": "kubernetes",
        "TAILWATCH_IMAGE": f"registry.example/tailwatch@sha256:{DIGEST}",
        "TAILWATCH_RUNS": "s3://team/runs",
        "TAILWATCH_REMOTE": "s3://team/remote",
        "TAILWATCH_STORE": "s3://team/store",
        "TAILWATCH_SCORES": "s3://team/scores",
        "MLFLOW_TRACKING_URI": "https://mlflow.example",
    },
}
STUB = """#!{python}
import json, os, sys
from pathlib import Path
argv = sys.argv[1:]
seen = Path(os.environ["STUB_LOG"])
with seen.open("a") as log:
    airflow = [name for name in os.environ if name.startswith(("AIRFLOW", "_AIRFLOW"))]
    told = {{"argv": argv, "cwd": os.getcwd(), "airflow": airflow}}
    log.write(json.dumps(told) + "\\n")
name = argv[1] if argv[0] == "run-stage" else argv[0]
plan = json.loads(os.environ.get("STUB_PLAN", "{{}}")).get(" ".join([name, *argv[4:]]), {{}})
print(f"{{name}}: working", file=sys.stderr)
codes = plan.get("codes", [])
tries = sum(json.loads(line)["argv"] == argv for line in seen.read_text().splitlines())
if tries <= len(codes) and codes[tries - 1]:
    sys.exit(codes[tries - 1])
answer = {{"stage": name, "result": "ran", "lock": "0" * 64, "commit": "1" * 40, **plan.get("answer", {{}})}}
print("an earlier line of stdout")
print(json.dumps(answer))
print("closing", file=sys.stderr)
"""

if importlib.util.find_spec("airflow") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    for name in [name for name in os.environ if name.startswith(("AIRFLOW", "TAILWATCH_"))]:
        del os.environ[name]
    os.environ |= {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
        "AIRFLOW__API__BASE_URL": "http://airflow.example",
        "KUBECONFIG": str(HOME / "kubeconfig"),
    }
    sys.path.insert(0, str(DAGS))


@pytest.fixture(scope="session")
def load():
    """The DAGs by id as a mode has them; fails on any import error."""
    from airflow.dag_processing.dagbag import BundleDagBag

    def loaded(environ, folder=DAGS):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            return BundleDagBag(dag_folder=str(folder), bundle_path=DAGS, bundle_name="dags-folder")

    return loaded


@pytest.fixture(scope="session")
def bags(load):
    """The DAGs of every mode."""
    return {mode: load(environ) for mode, environ in MODES.items()}


@pytest.fixture(scope="session")
def database():
    """Airflow's database, with the pools that params.yaml names."""
    from airflow.models.pool import Pool
    from airflow.utils.db import initdb

    initdb()
    for name in ("cpu", "gpu"):
        Pool.create_or_update_pool(name, 4, "", include_deferred=False)


@pytest.fixture
def stub(tmp_path, monkeypatch):
    """A `tailwatch` that does nothing but answer; what it was asked, and a plan of what it says."""

    class Stub:
        log = tmp_path / "calls.jsonl"

        def plan(self, plan):
            monkeypatch.setenv("STUB_PLAN", json.dumps(plan))

        @property
        def calls(self):
            return [json.loads(line) for line in self.log.read_text().splitlines()]

        @property
        def lines(self):
            return [" ".join(call["argv"]) for call in self.calls]

    program = tmp_path / "bin" / "tailwatch"
    program.parent.mkdir()
    program.write_text(STUB.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("TAILWATCH_COMMAND", str(program))
    monkeypatch.setenv("STUB_LOG", str(Stub.log))
    Stub.log.touch()
    return Stub()


def pytest_unconfigure():
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def home():
    """A folder that the user of PostgreSQL may enter."""
    folder = Path(tempfile.mkdtemp(prefix="tailwatch-celery-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def project(home):
    """What the cluster retrains."""
    from .project import Project

    return Project(home)


@pytest.fixture(scope="session")
def cluster(home, project):
    """Airflow as a team has it."""
    from .cluster import Cluster
    from .rest import processes_of

    made = Cluster(home, project.folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
    assert processes_of(home) == []


@pytest.fixture(scope="session")
def cold(cluster):
    """The tasks of the first run. So few clips hold the gate back, and a person approves."""
    cluster.trigger("cold", reason="the first one")
    cluster.reached("cold", "approve", "awaiting_input")
    assert cluster.approved("cold") == "success", cluster.failures("cold")
    assert cluster.ended("cold") == "success", cluster.failures("cold")
    return cluster.tasks("cold")
