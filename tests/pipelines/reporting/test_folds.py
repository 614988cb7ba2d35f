"""report: what it says of all folds."""

import numpy as np
import pytest

from components.core.files import write_json
from components.core.tables import write_csv
from components.evaluation.folds import beside_the_best, summarise_folds
from components.evaluation.predictions import ClipPredictions, columns, to_rows
from components.evaluation.settings import BootstrapSettings
from pipelines.artifacts import Project
from pipelines.reporting.folds import folds_plot, folds_section

CLASSES = ("walking", "following")
PARAMS = """
dataset: {root: clips, classes: [walking, following]}
samplings: {two: {kind: uniform, frames: 2}}
segment: {backend: none}
featurize: {sampling: two}
views: {numbers: {sampling: two, numbers: true}}
models:
  majority: {view: numbers, runs_on: cpu}
  logistic: {view: numbers, runs_on: cpu}
  one_class_svm: {view: numbers, runs_on: cpu}
evaluate: {bootstrap: {samples: 100}}
resources: {cpu: {pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}
"""
N, SEEDS, SETTINGS = 40, (1, 2), BootstrapSettings(100)
LABELS = np.arange(N) % 2
FILMS = np.array([f"film<{i // 4}>" for i in range(N)])


def parts(wrong: int) -> list[tuple[int, ClipPredictions]]:
    """Two folds under two seeds, of a model that is wrong on the first so many clips."""
    predicted = np.where(np.arange(N) < wrong, 1 - LABELS, LABELS)
    probabilities = np.where(np.eye(2)[predicted] > 0, 0.8, 0.2)
    names = np.array([f"clip{i:02d}" for i in range(N)])
    folds = np.arange(N) // 4 % 2
    return [
        (
            seed,
            ClipPredictions(
                *(names, np.array([f"fold-{fold}-of-seed-{seed}" for fold in folds]), FILMS, LABELS),
                *(predicted, probabilities, probabilities, np.ones(N), CLASSES),
            ).of_split(f"fold-{number}-of-seed-{seed}"),
        )
        for seed in SEEDS
        for number in (0, 1)
    ]


def write_folds(project: Project, wrong: dict[str, int]) -> dict:
    """What evaluate writes of folds; gives what compare makes of it."""
    models = {name: parts(k) for name, k in wrong.items()}
    for name, of_model in models.items():
        rows = [{"seed": seed} | row for seed, part in of_model for row in to_rows(part)]
        write_csv(project.out("evaluate", name, "folds.csv"), ("seed", *columns(CLASSES)), rows)
    folds = {
        "models": [{"model": name} | summarise_folds(found, SETTINGS) for name, found in models.items()],
        "paired": beside_the_best(models, SETTINGS),
    }
    return {"folds": folds}


@pytest.fixture
def project(tmp_path) -> Project:
    (tmp_path / "params.yaml").write_text(PARAMS)
    return Project.open(tmp_path)


def test_rows_are_by_accuracy_with_ties_beside_the_best(project):
    found = folds_section(project, write_folds(project, {"majority": 30, "logistic": 4, "one_class_svm": 5}))
    assert [row["model"] for row in found["rows"]] == ["logistic", "one_class_svm", "majority"]
    assert [row["pair"] and row["pair"]["tie"] for row in found["rows"]] == [None, True, False]
    assert found["rows"][2]["pair"]["difference"] == pytest.approx(26 / 40)
    assert (found["folds"], found["seeds"]) == (2, [1, 2])


def test_equal_models_keep_the_tested_best_on_top(project):
    comparison = write_folds(project, {"one_class_svm": 4, "logistic": 4})
    rows = folds_section(project, comparison)["rows"]
    assert [(row["model"], row["pair"] is None) for row in rows] == [
        ("logistic", True),
        ("one_class_svm", False),
    ]


def write_trained(project: Project, model: str, holdout: bool, folds: list[str] | None) -> None:
    """What train says of the budget; folds None is a folds.csv of before."""
    write_json(project.out("train", model, "bundle.json"), {"training": {"cut_short": holdout}})
    rows = [
        {"split": f"fold-{k}", "seed": 1, "cut_short": cut}
        for k, cut in enumerate(folds or ["", ""])
        for _ in range(3)
    ]
    columns = ("split", "seed", "cut_short") if folds else ("split", "seed")
    kept = [{name: row[name] for name in columns} for row in rows]
    write_csv(project.out("train", model, "folds.csv"), columns, kept)


@pytest.mark.parametrize(
    ("holdout", "folds", "wanted"),
    [
        pytest.param(False, ["0", "0", "0"], (None, []), id="none"),
        pytest.param(False, ["1", "0", "1"], ((False, 2, 3), []), id="folds alone"),
        pytest.param(True, ["0", "0", "0"], ((True, 0, 3), []), id="the holdout alone"),
        pytest.param(True, ["1", "1", "1"], ((True, 3, 3), []), id="all"),
        pytest.param(True, None, ((True, None, 2), ["logistic"]), id="a table of before"),
        pytest.param(False, ["1", "", "0"], (None, ["logistic"]), id="not kept of one fold"),
    ],
)
def test_who_was_cut_short_is_read_from_what_train_wrote(project, holdout, folds, wanted):
    write_trained(project, "logistic", holdout, folds)
    found = folds_section(project, write_folds(project, {"logistic": 4}))
    cut = found["cut_short"].get("logistic")
    assert ((tuple(cut.values()) if cut else None), found["unknown"]) == wanted


def test_of_a_model_that_was_not_trained_here_nothing_is_known(project):
    found = folds_section(project, write_folds(project, {"logistic": 4}))
    assert (found["cut_short"], found["unknown"]) == ({}, ["logistic"])


def test_without_folds_there_is_no_section(project):
    assert folds_section(project, {"folds": None}) is None


def test_the_chart_tells_its_numbers_to_who_cannot_see_it(project):
    rows = folds_section(project, write_folds(project, {"majority": 20, "logistic": 4}))["rows"]
    chart = folds_plot(rows)
    assert "logistic 0.900, majority 0.500</title>" in chart
    assert chart.count('class="interval') == 2
    assert "40 clips of 10 source groups" in chart
