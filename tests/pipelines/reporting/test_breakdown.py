"""report: the best model's classes and sources over all folds."""

import numpy as np
import pytest

from components.core.tables import write_csv
from components.evaluation.metrics import Scored
from components.evaluation.predictions import ClipPredictions, columns, to_rows
from components.evaluation.settings import BootstrapSettings
from pipelines.artifacts import Project
from pipelines.reporting.breakdown import SOURCES_SHOWN, breakdown_section, by_class, by_source

CLASSES = ("walking", "following")
PARAMS = """
dataset: {root: clips, classes: [walking, following]}
samplings: {two: {kind: uniform, frames: 2}}
segment: {backend: none}
featurize: {sampling: two}
views: {numbers: {sampling: two, numbers: true}}
models: {logistic: {view: numbers, runs_on: cpu}}
evaluate: {bootstrap: {samples: 50}}
resources: {cpu: {pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}
"""


def scored(groups: str, labels: str, predicted: str) -> Scored:
    """One letter or digit for each clip."""
    chosen = np.array(list(map(int, predicted)))
    return Scored(
        np.array(list(map(int, labels))), chosen, np.eye(2)[chosen], np.array(list(groups)), CLASSES
    )


@pytest.mark.parametrize(
    ("groups", "labels", "predicted", "found"),
    [
        pytest.param("aabb", "0101", "0100", [("b", 0.5, 2), ("a", 1.0, 2)], id="worst first"),
        pytest.param(
            "abbc", "0011", "1100", [("b", 0.0, 2), ("a", 0.0, 1), ("c", 0.0, 1)], id="largest first"
        ),
    ],
)
def test_sources(groups, labels, predicted, found):
    rows = by_source(scored(groups, labels, predicted), 1)
    assert [(row["source"], row["accuracy"], row["n"]) for row in rows] == found


def test_a_source_tells_its_classes_and_counts_a_clip_once_over_seeds():
    (row,) = by_source(scored("aaaa", "0101", "0100"), 2)
    assert (row["classes"], row["n"], row["accuracy"]) == (list(CLASSES), 2, 0.75)


def test_recall_of_each_class():
    rows = by_class(scored("aabbcc", "001111", "011110"), 1, BootstrapSettings(50))
    assert [(row["name"], row["recall"]["value"], row["n"], row["n_groups"]) for row in rows] == [
        ("walking", 0.5, 2, 1),
        ("following", 0.75, 4, 2),
    ]


def test_the_best_model_is_broken_down_as_far_as_the_page_has_room(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    project, n = Project.open(tmp_path), 40
    labels = np.arange(n) % 2
    predicted = np.where(np.arange(n) < 4, 1 - labels, labels)  # wrong on all clips of two sources
    table = ClipPredictions(
        *(np.array([f"clip{i:02d}" for i in range(n)]), np.array(["fold-0", "fold-1"] * (n // 2))),
        *(np.array([f"film{i // 2:02d}" for i in range(n)]), labels, predicted, np.eye(2)[predicted]),
        *(np.eye(2)[predicted], np.ones(n), CLASSES),
    )
    rows = [{"seed": seed} | row for seed in (1, 2) for row in to_rows(table)]
    write_csv(project.out("evaluate", "logistic", "folds.csv"), ("seed", *columns(CLASSES)), rows)
    found = breakdown_section(project, {"rows": [{"model": "logistic"}], "seeds": [1, 2]})
    assert (found["model"], found["n_sources"], found["n_at_zero"]) == ("logistic", 20, 2)
    assert [row["source"] for row in found["sources"][:3]] == ["film00", "film01", "film02"]
    assert len(found["sources"]) == SOURCES_SHOWN
    assert [row["n"] for row in found["classes"]] == [20, 20]


def test_without_folds_there_is_nothing(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    assert breakdown_section(Project.open(tmp_path), None) is None
