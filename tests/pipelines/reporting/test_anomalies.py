"""report: scorers of anomalies."""

import numpy as np
import pytest

from components.core.tables import write_csv
from components.evaluation.predictions import ClipPredictions, columns, to_rows
from pipelines.artifacts import Project
from pipelines.reporting.anomalies import anomalies_section, course_chart, frame_scores, median_clip

CLASSES = ("walking", "following")
PARAMS = """
dataset: {root: clips, classes: [walking, following]}
samplings: {two: {kind: uniform, frames: 2}}
segment: {backend: none}
featurize: {sampling: two}
views: {pixels: {sampling: two, height: 32, width: 32, numbers: true, background: keep}}
models:
  logistic: {view: pixels, runs_on: cpu}
  stae: {view: pixels, runs_on: cpu, clip_score: max, train: {epochs: 2}}
  mil_ranking: {view: pixels, runs_on: cpu, weights: none}
  one_class_svm: {view: pixels, runs_on: cpu}
resources: {cpu: {pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}
"""


def predictions(scores, splits="test test test test", labels=(1, 1, 1, 0)) -> ClipPredictions:
    names, films = (np.array([f"{what}{i}" for i in range(4)]) for what in ("clip", "film"))
    labels = np.array(labels)
    given = np.eye(2)[labels] if scores is None else np.full((4, 2), np.nan)
    return ClipPredictions(
        *(names, np.array(splits.split()), films, labels, labels, given, given, np.ones(4), CLASSES),
        None if scores is None else np.array(scores, float),
    )


def auc(value: float) -> dict:
    return {"n": 4, "metrics": {"roc_auc": {"value": value, "low": None, "high": None}}}


def evaluated(project: Project, model: str, scores: list[float] | None, frames: list[float]) -> dict:
    """What evaluate wrote of a model, each clip with the same frames; its entry in the comparison."""
    folder = project.out("evaluate", model)
    write_csv(folder / "predictions.csv", columns(CLASSES), to_rows(predictions(scores)))
    rows = [
        {"clip_id": f"clip{i}", "k": k, "score": i + score}
        for i in range(4)
        for k, score in enumerate(frames)
    ]
    write_csv(folder / "frames.csv", ("clip_id", "k", "score"), rows)
    return {"model": model, "threshold": 1.5, "splits": {"test": {"clips": auc(0.75), "frames": auc(0.5)}}}


@pytest.fixture
def project(tmp_path) -> Project:
    (tmp_path / "params.yaml").write_text(PARAMS)
    return Project.open(tmp_path)


@pytest.mark.parametrize(
    ("table", "chosen"),
    [
        pytest.param(predictions([3, 1, 2, 9]), ("clip2", "film2"), id="median of the positive"),
        pytest.param(
            predictions([3, 1, 2, 0], labels=(1, 1, 1, 1)), ("clip1", "film1"), id="the lower of two"
        ),
        pytest.param(
            predictions([3, 1, 2, 9], "test train val test"), ("clip0", "film0"), id="test clips alone"
        ),
        pytest.param(predictions([3, 1, 2, 9], labels=(0, 0, 0, 0)), None, id="no positive clip"),
        pytest.param(predictions(None), None, id="no scores"),
    ],
)
def test_the_clip_that_is_shown(table, chosen):
    assert median_clip(table) == chosen


def test_the_frames_of_a_clip_alone_are_shown(project):
    evaluated(project, "stae", [3, 1, 2, 9], [0.25, 2.0])
    assert frame_scores(project, "stae", "clip2") == [(0, 2.25), (1, 4.0)]


def test_scorers_of_anomalies_alone_have_an_entry(project):
    models = [
        evaluated(project, "logistic", None, []),
        evaluated(project, "stae", [3, 1, 2, 9], [0.25, 2.0]),
        evaluated(project, "one_class_svm", [3, 1, 2, 9], [0.25]),
    ]
    course, single = anomalies_section(project, {"models": models})
    assert (course["model"], course["clip_id"], course["clips"]["value"]) == ("stae", "clip2", 0.75)
    assert (course["frames"]["value"], course["frames"]["n"]) == (0.5, 4)
    assert "2 of 2 at or above the threshold 1.5" in course["chart"]
    assert (single["model"], single["chart"]) == ("one_class_svm", "")


@pytest.mark.parametrize(
    ("scores", "threshold", "told"),
    [
        pytest.param([0.1, 0.9, 0.4], 0.5, "1 of 3 at or above the threshold 0.5", id="one above"),
        pytest.param([0.2, 0.2], 0.2, "2 of 2 at or above the threshold 0.2", id="all at it"),
    ],
)
def test_the_course_tells_what_it_shows(scores, threshold, told):
    chart = course_chart("stae", list(enumerate(scores, start=1)), threshold)
    assert "frame 1: " in chart
    assert "frame 0: " not in chart
    assert told in chart
    assert chart.count("<circle") == len(scores)
    assert 'class="line s1 dashed"' in chart
    assert "nan" not in chart
