"""compare: the enabled models side by side."""

import csv
import json

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.core.files import write_json
from components.core.tables import write_csv
from components.evaluation.folds import summarise_folds
from components.evaluation.predictions import ClipPredictions, columns, to_rows
from components.evaluation.settings import BootstrapSettings
from components.evaluation.summary import summarise
from pipelines import compare
from pipelines.artifacts import Project

CLASSES = ("non_stalking", "stalking")
PARAMS = """
dataset: {{root: clips, classes: [non_stalking, stalking]}}
samplings: {{five: {{kind: uniform, frames: 5}}}}
views: {{numbers: {{sampling: five, numbers: true, height: 64, width: 64, background: keep}}}}
models: {{{models}}}
resources: {{cpu: {{pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}}}
featurize: {{sampling: five}}
segment: {{backend: none}}
compare: {{bootstrap: {{samples: 200}}}}
gate: {{samples: 200}}
"""
N = 80
LABELS = np.arange(N) % 2
SPLITS = np.array(["train", "val", "test", "test"] * (N // 4))
# Eight clips of a film in a row, two of them validation and four of them test clips.
FILMS = np.array([f"film{i // 8}" for i in range(N)])


def predictions(wrong_val: int, wrong_test: int) -> ClipPredictions:
    """A model that is wrong on so many validation and test clips, one film after the other."""
    predicted = LABELS.copy()
    for split, wrong in (("val", wrong_val), ("test", wrong_test)):
        places = np.flatnonzero(split == SPLITS)
        spread = np.concatenate([places[k::4] for k in range(4)])[:wrong]
        predicted[spread] = 1 - predicted[spread]
    probabilities = np.where(np.eye(2)[predicted] > 0, 0.8, 0.2)
    names = np.array([f"clip{i:02d}" for i in range(N)])
    return ClipPredictions(
        names, SPLITS, FILMS, LABELS, predicted, probabilities, probabilities, np.full(N, 0.9), CLASSES
    )


def always_first() -> ClipPredictions:
    table = predictions(0, 0)
    return ClipPredictions(
        *(table.clip_ids, table.splits, table.groups, table.labels, np.zeros(N, dtype=np.int64)),
        *(np.tile([0.6, 0.4], (N, 1)), np.tile([0.6, 0.4], (N, 1)), table.coverage, CLASSES),
    )


def write_evaluation(
    project: Project, model: str, table: ClipPredictions, parameters: int = 100, test_digest: str = "frozen"
) -> None:
    def of(split: str) -> dict:
        summary = summarise(table.of_split(split).scored(), BootstrapSettings(200))
        return {"clips": summary | {"coverage": 0.9}, "covered_clips": summary, "frames": None}

    folder = project.out("evaluate", model)
    evaluation = {
        "model": model,
        "classes": CLASSES,
        "view": {"sampling": "five"},
        "threshold": 0.5,
        "parameters": parameters,
        "absent": [],
        "test_digest": test_digest,
        "splits": {split: of(split) for split in ("train", "val", "test")},
    }
    write_json(folder / "evaluation.json", evaluation)
    write_csv(folder / "predictions.csv", columns(CLASSES), to_rows(table))
    write_csv(folder / "folds.csv", ("seed", *columns(CLASSES)), ())


def lay_out(root, *models: str) -> Project:
    (root / "params.yaml").write_text(
        PARAMS.format(models=", ".join(f"{m}: {{view: numbers, runs_on: cpu}}" for m in models))
    )
    return Project.open(root)


def compared(project: Project) -> dict:
    compare.run(project)
    return json.loads(project.out("compare", "comparison.json").read_text())


@pytest.fixture
def four(tmp_path) -> Project:
    """Fusion is best on validation, convlstm on test."""
    project = lay_out(tmp_path, "majority", "logistic", "convlstm", "fusion")
    write_evaluation(project, "majority", always_first())
    write_evaluation(project, "logistic", predictions(6, 12))
    write_evaluation(project, "convlstm", predictions(4, 2), parameters=10)
    write_evaluation(project, "fusion", predictions(2, 4), parameters=20)
    return project


def test_validation_chooses_the_challenger(four):
    found = compared(four)
    assert (found["challenger"], found["choose_by"]) == ("fusion", "accuracy")
    verdict = found["verdict_without_champion"]
    assert (verdict["model"], verdict["decision"]) == ("fusion", "PROMOTE")
    assert {reason["rule"] for reason in verdict["reasons"]} >= {
        "accuracy",
        "baseline majority",
        "baseline logistic",
    }


def test_pairs_are_against_the_challenger_and_the_baselines(four):
    pairs = {(pair["first"], pair["second"]): pair for pair in compared(four)["paired"]}
    assert set(pairs) == {
        ("fusion", "convlstm"),
        ("fusion", "majority"),
        ("fusion", "logistic"),
        ("convlstm", "majority"),
        ("convlstm", "logistic"),
    }
    assert pairs["fusion", "convlstm"]["difference"] == pytest.approx(-2 / 40)
    assert all(pair["p_holm"] >= pair["p_sign_flip"] for pair in pairs.values())
    assert pairs["fusion", "majority"]["n_groups"] == 10


def test_table_holds_our_models_and_the_papers_marked(four):
    compare.run(four)
    with four.out("compare", "table.csv").open(newline="") as stream:
        rows = {row["model"]: row for row in csv.DictReader(stream)}
    assert rows["fusion"]["source"] == "ours"
    assert float(rows["fusion"]["accuracy"]) == pytest.approx(36 / 40)
    assert rows["majority"]["is_baseline"] == "True"
    paper = rows["CNN-LSTM-MLP"]
    assert (paper["source"], paper["accuracy"], paper["n"], paper["val_accuracy"]) == (
        "paper",
        "0.8958",
        "48",
        "",
    )


@pytest.mark.parametrize(
    ("models", "chosen"),
    [
        pytest.param({"fusion": (2, 20), "convlstm": (2, 10)}, "convlstm", id="fewer parameters"),
        pytest.param({"fusion": (2, 10), "convlstm": (2, 10)}, "convlstm", id="then by name"),
        pytest.param({"fusion": (1, 99), "convlstm": (2, 10)}, "fusion", id="validation goes first"),
    ],
)
def test_ties(tmp_path, models, chosen):
    project = lay_out(tmp_path, "majority", *models)
    write_evaluation(project, "majority", always_first())
    for name, (wrong, parameters) in models.items():
        write_evaluation(project, name, predictions(wrong, 4), parameters)
    assert compared(project)["challenger"] == chosen


def test_a_baseline_is_never_the_challenger(tmp_path):
    project = lay_out(tmp_path, "majority", "logistic")
    write_evaluation(project, "majority", always_first())
    write_evaluation(project, "logistic", predictions(0, 0))
    found = compared(project)
    assert (found["challenger"], found["verdict_without_champion"], found["paired"]) == (None, None, [])


def test_labels_that_all_models_disbelieve_and_mistakes_are_listed(four):
    found = compared(four)
    suspects = {suspect["clip_id"]: suspect for suspect in found["suspected_labels"]}
    assert suspects
    assert all(
        suspect["models"] == 2 and suspect["label"] != suspect["suggested"] for suspect in suspects.values()
    )
    worst = found["worst_mistakes"]["fusion"]
    assert len(worst) == 4
    assert {mistake["split"] for mistake in worst} == {"test"}


def test_a_missing_evaluation_is_an_error(four):
    four.out("evaluate", "fusion", "evaluation.json").unlink()
    with pytest.raises(BadDataError, match="fusion is enabled and has no evaluation"):
        compare.run(four)


def test_without_a_test_side_all_that_divides_clips_is_named(four):
    table = predictions(0, 0)
    for model in four.params.models:
        rows = to_rows(table.where(table.splits != "test"))
        write_csv(four.out("evaluate", model, "predictions.csv"), columns(CLASSES), rows)
    with pytest.raises(BadDataError, match=r"No clip lies on the test side.*fractions.*seed.*own lists"):
        compare.run(four)


def test_a_left_over_evaluation_is_ignored(four):
    before = compared(four)
    write_evaluation(four, "removed", predictions(0, 0), test_digest="older")
    assert compared(four) == before


def test_different_test_sets_are_refused(four):
    write_evaluation(four, "fusion", predictions(2, 4), test_digest="older")
    with pytest.raises(BadDataError, match="majority and fusion were judged on different test sets"):
        compare.run(four)


def write_folds(project, model, table, seeds=(1, 2)):
    """The clips of the validation and test sides as two folds under each seed."""
    folder = project.out("evaluate", model)
    rows = [{"seed": seed} | row for seed in seeds for row in to_rows(table) if row["split"] != "train"]
    write_csv(folder / "folds.csv", ("seed", *columns(CLASSES)), rows)
    parts = [(seed, table.of_split(split)) for seed in seeds for split in ("val", "test")]
    path = folder / "evaluation.json"
    write_json(path, json.loads(path.read_text()) | {"folds": summarise_folds(parts, BootstrapSettings(200))})


def test_over_folds_the_best_is_tested_against_every_other(four):
    wrong = {"majority": always_first(), "logistic": predictions(6, 12)}
    for model, table in (wrong | {"convlstm": predictions(4, 2), "fusion": predictions(2, 4)}).items():
        write_folds(four, model, table)
    found = compared(four)["folds"]
    assert [row["model"] for row in found["models"]] == ["majority", "logistic", "convlstm", "fusion"]
    assert {row["first"] for row in found["paired"]} == {"convlstm"}
    assert {row["second"]: row["tie"] for row in found["paired"]}["fusion"]
    with four.out("compare", "table.csv").open() as stream:
        rows = {row["model"]: row for row in csv.DictReader(stream)}
    assert float(rows["fusion"]["folds_accuracy"]) == pytest.approx(54 / 60)
    assert float(rows["fusion"]["folds_low"]) < 0.9 < float(rows["fusion"]["folds_high"])


def test_without_folds_nothing_is_said_of_them(four):
    assert compared(four)["folds"] is None
