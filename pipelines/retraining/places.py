"""Where the tasks of a retraining find the project, each other's results, and room to work."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.core.errors import UsageError
from components.core.s3 import is_address
from components.tracking.store import DATABASE, URI_VARIABLE
from pipelines.artifacts import STATE_FOLDER
from pipelines.params import STORE_VARIABLE

PROJECT_VARIABLE = "TAILWATCH_PROJECT"
RUNS_VARIABLE = "TAILWATCH_RUNS"
REMOTE_VARIABLE = "TAILWATCH_REMOTE"
WORKSPACES_VARIABLE = "TAILWATCH_WORKSPACES"


@dataclass(frozen=True)
class Places:
    """What every task of a retraining is told by its environment.

    Attributes:
        project: the git repository: a folder of it with dvc.yaml, or an address that git clones.
        runs: what tasks hand to each other, a folder or s3://bucket/prefix.
        remote: DVC's, a folder or s3://bucket/prefix.
        workspaces: a folder of this machine in which stages run.
        store: the store of clips, a folder or an address; empty: as params.yaml says.
        tracking: MLflow's URI.
    """

    project: str
    runs: str
    remote: str
    workspaces: Path
    store: str
    tracking: str

    @property
    def project_folder(self) -> Path | None:
        """The project, where it is a folder of this machine."""
        return None if _is_remote(self.project) else Path(self.project)


def read_places(folder: Path, given: Mapping[str, str] = os.environ) -> Places:
    """The places that the environment names; what it leaves open lies in the project's .tailwatch.

    Args:
        folder: the project, unless the environment names another.

    Raises:
        UsageError: a place that is none, or that must be named and is not.
    """
    project = given.get(PROJECT_VARIABLE) or str(folder)
    project = project if _is_remote(project) else str(Path(project).absolute())

    def place(variable: str, name: str) -> str:
        return _place(variable, given.get(variable, ""), project, name)

    workspaces = place(WORKSPACES_VARIABLE, f"{STATE_FOLDER}/workspaces")
    if "://" in workspaces:
        raise UsageError(
            f"{WORKSPACES_VARIABLE} is {workspaces}", wanted="a folder of this machine", remedy="correct it"
        )
    return Places(
        project,
        place(RUNS_VARIABLE, f"{STATE_FOLDER}/runs"),
        place(REMOTE_VARIABLE, f"{STATE_FOLDER}/remote"),
        Path(workspaces),
        place(STORE_VARIABLE, "") if given.get(STORE_VARIABLE) else "",
        given.get(URI_VARIABLE) or f"sqlite:///{place(URI_VARIABLE, DATABASE)}",
    )


def _place(variable: str, given: str, project: str, name: str) -> str:
    if given and "://" in given and not is_address(given):
        raise UsageError(
            f"{variable} is {given}", wanted="a folder or s3://bucket/prefix", remedy="correct it"
        )
    if given:
        return given if "://" in given else str(Path(given).absolute())
    if _is_remote(project):
        raise UsageError(
            f"{variable} is not set, and the project is {project}",
            wanted="a place that outlives the task",
            remedy=f"set {variable}",
        )
    return str(Path(project, name))


def _is_remote(project: str) -> bool:
    return "://" in project or (":" in project and not Path(project).exists())
