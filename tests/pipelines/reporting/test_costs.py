"""report: costs, measured once and kept."""

import numpy as np
import pytest

from components.core.errors import ResourceError
from components.features.views import View
from components.models.base import InputShapes
from components.models.bundle import BundleInfo, write_bundle
from components.models.calibration import Calibration
from components.models.cost import Cost
from pipelines.artifacts import Project
from pipelines.reporting.costs import costs_section, outdone_by
from pipelines.timings import Effort, keep_timing

PARAMS = """
dataset: {root: clips, classes: [walking, following]}
samplings: {two: {kind: uniform, frames: 2}}
segment: {backend: none}
featurize: {sampling: two}
views: {numbers: {sampling: two, numbers: true}}
models: {majority: {view: numbers, runs_on: cpu}, logistic: {view: numbers, runs_on: cpu}}
resources: {cpu: {pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}
"""
COST = Cost(parameters=59, multiply_adds=58, p50_ms=1.5, p95_ms=2.5, calls=100, peak_bytes=90_000_000)


def accuracy(value: float) -> dict:
    return {"value": value, "low": None, "high": None}


def compared(**models: float) -> dict:
    found = [
        {"model": name, "splits": {"test": {"clips": {"metrics": {"accuracy": accuracy(value)}}}}}
        for name, value in models.items()
    ]
    return {"models": found, "folds": None}


def write_logistic(project: Project, bias: float = 0.0) -> str:
    """Its digest."""
    info = BundleInfo(
        *("logistic", {}, ("walking", "following"), "numbers", View(sampling="two", numbers=True)),
        *(InputShapes(numbers=(2, 29)), None, Calibration(), 0.5, 59, {}, {}, {}),
    )
    arrays = {"kernel": np.zeros((58, 1)), "bias": np.array([bias])}
    return write_bundle(project.out("train", "logistic"), info, arrays).digest


@pytest.fixture
def project(tmp_path) -> Project:
    (tmp_path / "params.yaml").write_text(PARAMS)
    return Project.open(tmp_path)


class Measured:
    """Says the same of every bundle, and which it was asked of."""

    def __init__(self):
        self.asked = []

    def __call__(self, folder):
        self.asked.append(folder.name)
        return COST


def test_a_bundle_is_measured_once_and_a_new_one_again(project):
    measure = Measured()
    digest = write_logistic(project)
    (row,) = costs_section(project, compared(logistic=0.9), measure)["rows"]
    assert row["cost"] == COST
    again = costs_section(project, compared(logistic=0.9), measure)
    assert (again["rows"][0]["cost"], measure.asked) == (COST, ["logistic"])
    (kept,) = project.state("costs").iterdir()
    assert kept.name.startswith(digest[:32])
    write_logistic(project, bias=1.0)
    costs_section(project, compared(logistic=0.9), measure)
    assert measure.asked == ["logistic", "logistic"]


def test_models_are_by_accuracy_and_what_is_not_known_says_why(project):
    write_logistic(project)
    rows = costs_section(project, compared(majority=0.5, logistic=0.9), Measured())["rows"]
    assert [row["model"] for row in rows] == ["logistic", "majority"]
    assert rows[1]["cost"] is None
    assert rows[1]["why_no_cost"] == "there is no bundle in outs/train"
    assert "trained elsewhere" in rows[0]["why_no_training"]


def test_a_measurement_that_fails_is_told_and_tried_again(project):
    def fails(folder):
        raise ResourceError("It ran out of memory", wanted="more", remedy="add some")

    write_logistic(project)
    (row,) = costs_section(project, compared(logistic=0.9), fails)["rows"]
    assert (row["cost"], row["why_no_cost"]) == (None, "It ran out of memory")
    (row,) = costs_section(project, compared(logistic=0.9), Measured())["rows"]
    assert row["cost"] == COST


def test_training_is_told_beside_the_bundle_that_came_of_it_alone(project):
    effort = Effort()
    effort.count(whole=True)
    effort.count(whole=False)
    keep_timing(project, "logistic", write_logistic(project), effort)
    (row,) = costs_section(project, compared(logistic=0.9), Measured())["rows"]
    assert (row["training"]["trainings"], row["training"]["others"]) == (1, 1)
    write_logistic(project, bias=1.0)
    (row,) = costs_section(project, compared(logistic=0.9), Measured())["rows"]
    assert row["training"] is None
    assert "DVC's cache" in row["why_no_training"]


def test_over_folds_accuracy_is_that_of_the_folds(project):
    folds = {"models": [{"model": "logistic", "metrics": {"accuracy": accuracy(0.7)}}], "paired": []}
    found = costs_section(project, compared(logistic=0.9) | {"folds": folds}, Measured())
    assert (found["rows"][0]["accuracy"]["value"], found["over_folds"]) == (0.7, True)


@pytest.mark.parametrize(
    ("accuracies", "times_ms", "outdone"),
    [
        pytest.param((0.9, 0.8), (1.0, 5.0), ["", "m0"], id="slower and less accurate"),
        pytest.param((0.9, 0.8), (5.0, 1.0), ["", ""], id="each has its use"),
        pytest.param((0.9, 0.9), (5.0, 1.0), ["m1", ""], id="equally accurate"),
        pytest.param((0.9, 0.9, 0.8), (2.0, 1.0, 3.0), ["m1", "", "m1"], id="the fastest is named"),
        pytest.param((0.9, 0.8), (None, 1.0), ["", ""], id="not measured"),
    ],
)
def test_what_has_not_earned_its_place(accuracies, times_ms, outdone):
    rows = [
        {
            "model": f"m{k}",
            "accuracy": accuracy(value),
            "cost": time_ms and Cost(1, 1, time_ms, time_ms, 1, 1),
        }
        for k, (value, time_ms) in enumerate(zip(accuracies, times_ms, strict=True))
    ]
    assert [outdone_by(row, rows) for row in rows] == outdone
