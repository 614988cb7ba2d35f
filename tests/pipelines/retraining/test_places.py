"""What the environment says of where things lie."""

from pathlib import Path

import pytest

from components.core.errors import UsageError
from pipelines.retraining.places import read_places

EVERYTHING = {
    "TAILWATCH_RUNS": "s3://team/runs",
    "TAILWATCH_REMOTE": "s3://team/dvc",
    "TAILWATCH_WORKSPACES": "/scratch",
    "MLFLOW_TRACKING_URI": "http://mlflow:5000",
}


def test_what_nobody_named_lies_in_the_project(tmp_path):
    places = read_places(tmp_path, {})
    assert places.project_folder == tmp_path
    assert places.runs == str(tmp_path / ".tailwatch/runs")
    assert places.remote == str(tmp_path / ".tailwatch/remote")
    assert places.workspaces == tmp_path / ".tailwatch/workspaces"
    assert places.tracking == f"sqlite:///{tmp_path}/mlflow.db"
    assert places.store == ""


def test_the_environment_goes_before(tmp_path):
    project = tmp_path / "project"
    places = read_places(tmp_path, {**EVERYTHING, "TAILWATCH_PROJECT": str(project), "TAILWATCH_STORE": "s"})
    assert places.project_folder == project
    assert (places.runs, places.remote) == ("s3://team/runs", "s3://team/dvc")
    assert places.workspaces == Path("/scratch")
    assert places.tracking == "http://mlflow:5000"
    assert places.store == str(Path("s").absolute())


@pytest.mark.parametrize("project", ["https://host/team/project.git", "git@host:team/project.git"])
def test_a_project_elsewhere_needs_every_place(tmp_path, project):
    assert read_places(tmp_path, {**EVERYTHING, "TAILWATCH_PROJECT": project}).project_folder is None
    for name in EVERYTHING:
        fewer = {key: value for key, value in EVERYTHING.items() if key != name}
        with pytest.raises(UsageError, match=f"{name} is not set, and the project is"):
            read_places(tmp_path, {**fewer, "TAILWATCH_PROJECT": project})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TAILWATCH_RUNS", "gs://team/runs"),
        ("TAILWATCH_REMOTE", "s3://"),
        ("TAILWATCH_STORE", "http://host"),
        ("TAILWATCH_WORKSPACES", "s3://team/x"),
    ],
)
def test_places_that_are_none(tmp_path, variable, value):
    with pytest.raises(UsageError, match=f"{variable} is {value}"):
        read_places(tmp_path, {variable: value})
