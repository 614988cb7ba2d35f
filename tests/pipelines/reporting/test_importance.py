"""report: what inputs are worth, of a model that looks at the distance alone."""

import re

import numpy as np

from components.evaluation.importance import Drop, Importance
from pipelines.reporting.importance import importance_charts, importance_section
from tests.pipelines.explained import explained_project


def drops(chart: str) -> dict[str, float]:
    """Mean drop by the group's name, as a hovering reader is told."""
    found = re.findall(r"<title>([^<]+): ([+-]\d\.\d+), standard deviation", chart)
    return {name: float(value) for name, value in found}


def test_only_the_distance_matters(tmp_path):
    (entry,) = importance_section(explained_project(tmp_path))
    assert (entry["model"], entry["stream"], entry["why_not"]) == ("logistic", "numbers", "")
    assert entry["challenger"]
    assert (entry["n"], entry["n_all"], entry["n_groups"], entry["repeats"]) == (30, 30, 20, 10)
    assert entry["whole"]["accuracy"] == 28 / 30
    for chart in entry["charts"]["kinds"]:
        found = drops(chart)
        matter = {name for name, drop in found.items() if drop}
        assert matter == {"all numbers (29)", "distance (1)"}
        assert found["all numbers (29)"] == found["distance (1)"] > 0.2
    for chart in entry["charts"]["single numbers"]:
        assert {name for name, drop in drops(chart).items() if drop} == {"distance"}
        assert len(drops(chart)) == 29


def test_an_undefined_metric_has_no_chart():
    found = Importance(
        {"accuracy": 0.9, "roc_auc": np.nan},
        {"angles": {"accuracy": Drop(0.1, 0.02), "roc_auc": Drop(np.nan, np.nan)}},
        n=3,
    )
    (chart,) = importance_charts(found)
    assert drops(chart) == {"angles": 0.1}


def test_without_tensors_it_says_why(tmp_path):
    models = explained_project(tmp_path)
    (models.project.out("reshape", "numbers") / "clips.json").unlink()
    (entry,) = importance_section(models)
    assert "clips.json" in entry["why_not"]
