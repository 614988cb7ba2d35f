"""Where runs and model versions are kept: SQLite in the project, or the server of MLFLOW_TRACKING_URI."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.errors import StorageError, UsageError

if TYPE_CHECKING:
    from mlflow import MlflowClient

URI_VARIABLE = "MLFLOW_TRACKING_URI"
DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"

# MLflow's own limits keep a caller waiting for minutes when the server is gone, and let a model unpickle.
LIMITS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def limit_mlflow() -> None:
    """Bound MLflow's waiting, and switch pickle and telemetry off; call before MLflow is imported.

    A variable that the user has set stays.
    """
    for name, value in LIMITS.items():
        os.environ.setdefault(name, value)
    _silence_schema_messages()


@dataclass(frozen=True)
class TrackingStore:
    """An MLflow tracking store with its model registry.

    Attributes:
        uri: of the tracking store.
        artifacts: URI of the folder for artefacts; None leaves the choice to the server.
    """

    uri: str
    artifacts: str | None

    @cached_property
    def client(self) -> "MlflowClient":
        """The one client that all calls go through."""
        limit_mlflow()
        from mlflow import MlflowClient

        with self.answering():
            return MlflowClient(self.uri, os.environ.get("MLFLOW_REGISTRY_URI"))

    def experiment_id(self, name: str) -> str:
        """The experiment of this name, created when it is not there.

        Raises:
            UsageError: an experiment of this name was deleted, which keeps the name taken.
            StorageError: the store does not answer.
        """
        with self.answering():
            found = self.client.get_experiment_by_name(name) or self._create_experiment(name)
        if found.lifecycle_stage != "active":
            raise UsageError(
                f"The experiment {name} in {self.uri} is deleted",
                wanted="an experiment that runs can be written to",
                remedy=f"`mlflow experiments restore -x {found.experiment_id}`, or another track.experiment",
            )
        return str(found.experiment_id)

    def _create_experiment(self, name: str) -> Any:
        from mlflow import MlflowException

        try:
            self.client.create_experiment(name, artifact_location=self.artifacts)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        return self.client.get_experiment_by_name(name)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turn failures of the store inside the block into our own errors.

        Raises:
            StorageError: the store refuses or does not answer, or its database is locked or damaged.
            UsageError: the driver of its database is not installed.
        """
        limit_mlflow()
        from mlflow import MlflowException

        try:
            yield
        except ImportError as error:
            raise UsageError(
                f"MLflow at {self.uri} needs what is not installed: {error}",
                wanted="the driver of this database",
                remedy=f"install it, or unset {URI_VARIABLE} to use {DATABASE} in the project",
            ) from error
        except (MlflowException, OSError, _database_error()) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise StorageError(
                f"MLflow at {self.uri} refused or did not answer: {reason}",
                wanted="a tracking store that answers",
                remedy=f"start or mend it, or unset {URI_VARIABLE} to use {DATABASE} in the project",
            ) from error


def open_store(project_root: Path) -> TrackingStore:
    """The store that the environment names, else SQLite in the project's folder; artefacts lie beside it."""
    uri = os.environ.get(URI_VARIABLE)
    if uri and not uri.startswith("sqlite:"):
        return TrackingStore(uri, None)
    root = project_root.resolve()
    database = Path(root, uri.removeprefix("sqlite:///")) if uri else root / DATABASE
    return TrackingStore(uri or f"sqlite:///{database}", (database.parent / ARTIFACTS).as_uri())


def connect(project_root: Path) -> TrackingStore:
    """Open the project's store and make it MLflow's own for this process: model URIs then mean its models."""
    store = open_store(project_root)
    limit_mlflow()
    import mlflow

    mlflow.set_tracking_uri(store.uri)
    return store


def _database_error() -> type[Exception]:
    """What MLflow lets through when it opens a database; imported only once something has failed."""
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError


def _silence_schema_messages() -> None:
    """A new SQLite file tells of each of its migrations."""
    import logging

    for name in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.WARNING)
