"""What the parts of a cluster are told: Airflow's settings, and where a retraining finds its places."""

import json
import os
import sys
from pathlib import Path

from .conftest import ROOT
from .servers import HOST

ML = ROOT / ".venv" / "bin"
BUCKET = "team"
KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_SECRET = "only-known-to-this-test-" * 4
_FOREIGN = ("AIRFLOW", "_AIRFLOW", "TAILWATCH", "MLFLOW", "AWS", "VIRTUAL_ENV")
# shorter than a team's, so that tests need not wait
_IMPATIENT = {
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "45",
    "SCHEDULER__TASK_QUEUED_TIMEOUT": "120",
    "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "15",
}


def without_foreign():
    """This process's variables, but for those that would tell the programs under test something."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}


def of_cluster(home, project, address, database, broker, s3):
    """The variables of every part.

    Args:
        home: the folder in which Airflow lives.
        project: the folder of the git repository.
        address: of Airflow's API server.
        database, broker, s3: addresses of those.
    """
    settings = {
        **_IMPATIENT,
        "API__PORT": address.rpartition(":")[2],
        "API__HOST": HOST,
        "API__BASE_URL": address,
        "API__WORKERS": "1",
        "API__SECRET_KEY": _SECRET,
        "API_AUTH__JWT_SECRET": _SECRET,
        "CELERY__BROKER_URL": broker,
        "CELERY__RESULT_BACKEND": f"db+postgresql+psycopg2://airflow@{database}",
        "CELERY__OPERATION_TIMEOUT": "30",
        "CELERY__SYNC_PARALLELISM": "1",
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "CORE__EXECUTOR": "CeleryExecutor",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([_bundle(project)]),
        "DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://airflow@{database}",
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "SCHEDULER__USE_JOB_SCHEDULE": "True",
        "WORKERS__EXECUTION_API_TIMEOUT": "60",  # the first answer takes long on a busy machine
    }
    return {
        **without_foreign(),
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        **KEYS,
        "AIRFLOW_HOME": str(home),
        "AWS_ENDPOINT_URL": s3,
        "NO_PROXY": HOST,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(project),
        "MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db",
        "TAILWATCH_COMMAND": str(ML / "tailwatch"),
        "TAILWATCH_EXECUTION": "celery",
        "TAILWATCH_LEASE_S": "10",
        "TAILWATCH_PROJECT": str(project),
        "TAILWATCH_REMOTE": f"s3://{BUCKET}/dvc",
        "TAILWATCH_RETRY_SECONDS": "10",
        "TAILWATCH_RUNS": f"s3://{BUCKET}/runs",
        "TAILWATCH_S3_PATIENCE_S": "8",
        "TAILWATCH_SCHEDULE": "",
        "TAILWATCH_SCORES": "none",
        "TAILWATCH_STORE": f"s3://{BUCKET}/store",
        "TMPDIR": str(home / "tmp"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
    }


def of_worker(environ, folder):
    """The variables of a worker that shares no folder with the others."""
    return {
        **environ,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(folder / "bundles"),
        "TAILWATCH_WORKSPACES": str(folder / "workspaces"),
    }


def _bundle(project):
    return {
        "name": "tailwatch",
        "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
        "kwargs": {
            "repo_url": str(project),
            "tracking_ref": "main",
            "subdir": "dags",
            "refresh_interval": 5,
        },
    }
