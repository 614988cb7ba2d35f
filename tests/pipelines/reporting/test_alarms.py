"""report: the rule of alarms."""

import pytest

from components.core.files import write_json
from components.core.tables import write_csv
from components.evaluation.tuning import COLUMNS
from pipelines.artifacts import Project
from pipelines.reporting.alarms import alarms_chart, alarms_section, in_words

PARAMS = """
dataset: {root: clips, classes: [walking, following]}
samplings: {two: {kind: uniform, frames: 2}}
featurize: {sampling: two}
views: {numbers: {sampling: two, numbers: true}}
models: {majority: {view: numbers, runs_on: cpu}, logistic: {view: numbers, runs_on: cpu}}
resources: {cpu: {pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}
"""
TERMS = {"threshold": 0.7, "count": 2, "mode": "total"}
POINTS = [(0.0, 0.5), (4.0, 0.75)]


def figures(recall: float | None, rate: float | None, low: float | None = None) -> dict:
    return {
        "recall": {"value": recall, "low": low, "high": low and 1.0},
        "alarms_per_hour": {"value": rate, "low": None, "high": None},
        "alarms": 0,
    }


def told(tuned: dict | None, own: dict | None = None) -> dict:
    negative = {"clips": 4, "hours": 0.5, "smallest_rate": 2.0}
    sides = {"val": negative, "test": negative}
    return {"limit": 1.0, "frames": 5, "negative": sides, "tuned": tuned, "own": own}


TUNED = TERMS | {"val": figures(0.5, 0.0), "test": figures(0.4, 2.0, 0.2)}


@pytest.mark.parametrize(
    ("terms", "frames", "words"),
    [
        pytest.param({}, 5, "2 of 5 frames at 0.7 or more", id="in all"),
        pytest.param({"mode": "consecutive"}, 5, "2 of 5 frames in a row at 0.7 or more", id="in a row"),
        pytest.param({"comparison": "ge"}, 5, "2 of 5 frames at 0.7 or more", id="reached"),
        pytest.param({"comparison": "gt"}, 5, "more than 2 of 5 frames above 0.7", id="exceeded"),
        pytest.param({"count": 1}, 1, "clip at 0.7 or more", id="of the whole clip"),
        pytest.param({"count": 1, "threshold": 0.98765}, 5, "1 of 5 frames at 0.9877 or more", id="rounded"),
    ],
)
def test_a_rule_in_words(terms, frames, words):
    assert in_words(TERMS | terms, frames) == words


@pytest.mark.parametrize(
    ("rule", "points", "dots", "said"),
    [
        pytest.param(told(TUNED), POINTS, 4, "chosen rule on test: recall 0.400 at 2 an hour", id="chosen"),
        pytest.param(told(TUNED, TUNED), POINTS, 6, "own rule on val: recall 0.500", id="beside its own"),
        pytest.param(told(None), POINTS, 2, "Recall of fusion", id="frontier alone"),
        pytest.param(
            told(TUNED | {"test": figures(None, 2.0)}), POINTS, 3, "chosen rule on val", id="no positive clip"
        ),
    ],
)
def test_the_chart_has_a_dot_for_every_point(rule, points, dots, said):
    chart = alarms_chart("fusion", rule, points)
    assert chart.count("<circle") == dots
    assert said in chart
    assert "nan" not in chart


def test_nothing_to_draw():
    assert alarms_chart("fusion", told(None), []) == ""


def test_models_with_two_classes_have_an_entry(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    project = Project.open(tmp_path)
    rules = {"majority": told(None), "logistic": told(TUNED, TUNED | {"count": 10}), "vgg16": None}
    for model, rule in rules.items():
        write_json(project.out("evaluate", model, "evaluation.json"), {"rule": rule})
        write_csv(project.out("evaluate", model, "rules.csv"), COLUMNS, [])
    sounding = {"clip_id": "following/a", "split": "test", "start_s": 1.0}
    rules["logistic"]["own"]["alarms"] = [sounding, sounding | {"split": "val"}]
    write_json(project.out("evaluate", "logistic", "evaluation.json"), {"rule": rules["logistic"]})
    none, both = alarms_section(project, {"models": [{"model": model} for model in rules]})
    assert (none["model"], none["is_tuned"], none["rules"], none["chart"]) == ("majority", False, [], "")
    assert [rule["words"] for rule in both["rules"]] == [
        "2 of 5 frames at 0.7 or more",
        "10 of 5 frames at 0.7 or more",
    ]
    assert [rule["alarms"] for rule in both["rules"]] == [[], [sounding]]
    assert (both["model"], both["is_tuned"], both["rules"][0]["test"]["recall"]["low"]) == (
        *("logistic", True),
        0.2,
    )
