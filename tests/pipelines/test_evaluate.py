"""evaluate: from tensors and a bundle to predictions, metrics and curves."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.core.files import write_json
from components.core.tables import write_csv
from components.datasets.clips import Clip, Label
from components.evaluation.predictions import parts_of
from components.features.views import View
from components.models.base import InputShapes
from components.models.bundle import BundleInfo, Predictions, write_bundle
from components.models.calibration import Calibration
from components.models.fold_table import Said, answer_columns, fold_columns, fold_rows
from components.models.logits import decide
from pipelines import evaluate
from pipelines.artifacts import Project, write_clips, write_labels

CLASSES = ("non_stalking", "stalking")
PARAMS = """
dataset: {root: clips, classes: [non_stalking, stalking]}
samplings: {five: {kind: uniform, frames: 5}}
views: {numbers: {sampling: five, numbers: true}}
models: {logistic: {view: numbers, runs_on: cpu}}
resources: {cpu: {pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}
evaluate: {bootstrap: {samples: 200}}
featurize: {sampling: five, min_coverage: 0.5}
segment: {backend: none}
"""
N = 30
SPLITS = ["train"] * 16 + ["val"] * 6 + ["test"] * 8
CLIP_IDS = [f"{CLASSES[i % 2]}/clip{i:02d}.mp4" for i in range(N)]


class Told:
    """A bundle whose probability of stalking is the first number, per frame."""

    def __init__(self, by_frame: bool = False, streams: tuple[str, ...] = ("numbers",)) -> None:
        self.definition = SimpleNamespace(streams=streams)
        view = View(sampling="five", height=None, width=None, background="keep", numbers=True)
        self.info = SimpleNamespace(
            model_id="logistic", settings={}, classes=CLASSES, threshold=0.5, view=view, parameters=146
        )
        self.by_frame = by_frame

    def predict(self, frames, numbers, rows=None):
        assert frames is None
        positive = np.asarray(numbers[rows][..., 0], dtype=np.float64)
        frames = np.stack([1 - positive, positive], axis=-1)
        clip = frames.mean(axis=1)
        predicted = decide(clip, self.info.threshold)
        return Predictions(predicted, clip, clip, frames if self.by_frame else None)


def lay_out(root, labels: list[str] | None = None) -> Project:
    """A project whose ingest and reshape have run: the model is wrong on the first test clip only."""
    (root / "params.yaml").write_text(PARAMS)
    project = Project.open(root)
    write_clips(
        project.out("ingest", "clips.csv"),
        [Clip(name, name, None, None, f"sha{i}", 1000, "folder") for i, name in enumerate(CLIP_IDS)],
    )
    names = labels or [CLASSES[i % 2] for i in range(N)]
    write_labels(
        project.out("ingest", "labels.csv"),
        [Label(CLIP_IDS[i], names[i], (), f"film{i // 2:02d}", SPLITS[i], "") for i in range(N)],
    )
    write_tensors(project.out("reshape", "numbers"))
    write_csv(project.out("train", "logistic", "folds.csv"), fold_columns(CLASSES), ())
    lengths = [{"clip_id": name, "status": "ok", "span_s": 36.0} for name in CLIP_IDS]
    write_csv(project.out("extract", "index.csv"), ("clip_id", "status", "span_s"), lengths)
    return project


def write_tensors(folder) -> None:
    order = sorted(range(N - 1), key=CLIP_IDS.__getitem__)  # the last clip could not be used
    numbers = np.zeros((len(order), 5, 29), dtype=np.float32)
    for place, i in enumerate(order):
        numbers[place, :, 0] = np.linspace(0.7, 0.9, 5) if (i % 2 == 1) != (i == 22) else 0.2
    measured = np.ones(numbers.shape, dtype=bool)
    measured[: len(order) // 4] = False
    write_json(folder / "clips.json", {"clips": [CLIP_IDS[i] for i in order]})
    np.save(folder / "numbers.npy", numbers)
    np.save(folder / "measured.npy", measured)


def run(project: Project, monkeypatch, by_frame: bool = False):
    monkeypatch.setattr(evaluate, "read_bundle", lambda folder: Told(by_frame))
    evaluate.run(project, "logistic")
    return project.out("evaluate", "logistic")


@pytest.mark.parametrize(
    ("streams", "coverage"),
    [
        pytest.param(("frames", "numbers"), 9 / 16, id="looks at numbers"),
        pytest.param(("frames",), 1.0, id="looks at pixels alone"),
    ],
)
def test_coverage_counts_what_the_model_looks_at(tmp_path, monkeypatch, streams, coverage):
    project = lay_out(tmp_path)
    monkeypatch.setattr(evaluate, "read_bundle", lambda folder: Told(streams=streams))
    evaluate.run(project, "logistic")
    found = json.loads(project.out("evaluate", "logistic", "evaluation.json").read_text())
    assert found["splits"]["train"]["clips"]["coverage"] == pytest.approx(coverage)
    assert found["splits"]["train"]["covered_clips"]["n"] == 9


class Same(Told):
    """A scorer of anomalies that says the same of every clip, and of so many of its frames."""

    frames = 1

    def predict(self, frames, numbers, rows=None):
        nothing, same = np.full((len(rows), 2), np.nan), np.zeros(len(rows))
        return Predictions(
            same.astype(np.int64), nothing, nothing, None, same, np.zeros((len(rows), self.frames))
        )


def test_a_scorer_that_ranks_as_any_order_does_is_warned_of(tmp_path, monkeypatch, caplog):
    project = lay_out(tmp_path)
    monkeypatch.setattr(evaluate, "read_bundle", lambda folder: Same())
    evaluate.run(project, "logistic")
    assert "logistic may have learned nothing: its ROC AUC of 0.500" in caplog.text
    folder = project.out("evaluate", "logistic")
    assert rows_of(folder / "frames.csv") == []
    told = json.loads((folder / "evaluation.json").read_text())
    assert (told["splits"]["test"]["frames"], told["rule"]["frames"]) == (None, 1)


def rows_of(path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_metrics_are_small_flat_and_right(tmp_path, monkeypatch):
    folder = run(lay_out(tmp_path), monkeypatch)
    small = json.loads((folder / "metrics.json").read_text())
    assert set(small) == {"train", "val", "test"}
    test = small["test"]
    assert test["accuracy"] == pytest.approx(6 / 7)
    assert test["recall_non_stalking"] == pytest.approx(3 / 4)
    assert test["recall_stalking"] == 1.0
    assert (test["n"], test["n_groups"]) == (7, 4)
    assert test["accuracy_low"] < test["accuracy"] < test["accuracy_high"]
    assert small["train"]["accuracy"] == 1.0


def test_evaluation_says_everything(tmp_path, monkeypatch):
    folder = run(lay_out(tmp_path), monkeypatch)
    found = json.loads((folder / "evaluation.json").read_text())
    assert found["absent"] == [CLIP_IDS[N - 1]]
    assert (found["parameters"], found["threshold"], found["min_coverage"]) == (146, 0.5, 0.5)
    test = found["splits"]["test"]
    assert test["clips"]["confusion"] == [[3, 1], [0, 3]]
    assert test["clips"]["paper_convention"]["positive"] == "non_stalking"
    assert test["frames"] is None
    train = found["splits"]["train"]
    assert train["covered_clips"]["n"] == 9 < train["clips"]["n"] == 16
    assert train["clips"]["coverage"] == pytest.approx(9 / 16)


def test_predictions_and_curves_are_tables_for_dvc(tmp_path, monkeypatch):
    folder = run(lay_out(tmp_path), monkeypatch)
    predictions = {row["clip_id"]: row for row in rows_of(folder / "predictions.csv")}
    wrong = predictions[CLIP_IDS[22]]
    assert (wrong["label"], wrong["predicted"], wrong["split"]) == ("non_stalking", "stalking", "test")
    assert float(wrong["p_stalking"]) == pytest.approx(0.8)
    assert len(predictions) == N - 1
    roc = rows_of(folder / "roc.csv")
    assert (roc[0]["fpr"], roc[0]["tpr"], roc[0]["threshold"]) == ("0.0", "0.0", "")
    assert (roc[-1]["fpr"], roc[-1]["tpr"]) == ("1.0", "1.0")
    assert {row["class"] for row in rows_of(folder / "pr.csv")} == {"stalking"}
    confusion = rows_of(folder / "confusion.csv")
    assert confusion.count({"actual": "non_stalking", "predicted": "stalking"}) == 1
    assert sum(int(row["n"]) for row in rows_of(folder / "calibration.csv")) == 7
    assert rows_of(folder / "frames.csv") == []


def test_frame_models_are_judged_by_frame_too(tmp_path, monkeypatch):
    folder = run(lay_out(tmp_path), monkeypatch, by_frame=True)
    frames = json.loads((folder / "evaluation.json").read_text())["splits"]["test"]["frames"]
    assert (frames["n"], frames["n_groups"]) == (35, 4)
    rows = rows_of(folder / "frames.csv")
    assert len(rows) == 5 * (N - 1)
    assert [row["k"] for row in rows[:5]] == ["0", "1", "2", "3", "4"]


def test_scores_of_frames_that_have_one_before_them_bear_their_own_places(tmp_path, monkeypatch):
    """As those of stae with predict_next: of 5 frames the last 4 have a score."""
    project = lay_out(tmp_path)
    np.save(project.out("reshape", "numbers") / "times_s.npy", np.tile(np.arange(5.0), (N - 1, 1)))
    monkeypatch.setattr(Same, "frames", 4)
    monkeypatch.setattr(evaluate, "read_bundle", lambda folder: Same())
    evaluate.run(project, "logistic")
    rows = rows_of(project.out("evaluate", "logistic") / "frames.csv")
    assert [row["k"] for row in rows[:5]] == ["1", "2", "3", "4", "1"]


def test_the_rule_of_alarms_is_chosen_on_validation(tmp_path, monkeypatch):
    """Clips of stalking rise to 0.9 and others stay at 0.2; on test one other clip rises too."""
    folder = run(lay_out(tmp_path), monkeypatch, by_frame=True)
    rule = json.loads((folder / "evaluation.json").read_text())["rule"]
    assert (rule["limit"], rule["frames"], rule["own"]) == (1.0, 5, None)
    tuned, test = rule["tuned"], rule["tuned"]["test"]
    assert (tuned["threshold"], tuned["count"], tuned["mode"]) == (pytest.approx(0.9), 1, "total")
    assert (tuned["val"]["recall"]["value"], tuned["val"]["alarms"]) == (1.0, 0)
    assert rule["negative"]["val"]["smallest_rate"] == pytest.approx(1 / 0.03)
    assert (test["recall"]["value"], test["alarms"]) == (1.0, 1)
    assert test["alarms_per_hour"]["value"] == pytest.approx(1 / 0.04)
    assert test["alarms_per_hour"]["low"] < 1 / 0.04 < test["alarms_per_hour"]["high"]
    (row,) = rows_of(folder / "rules.csv")
    assert (row["mode"], row["count"], row["recall"], row["alarms_per_hour"]) == ("total", "1", "1.0", "0.0")


def test_same_bytes_every_time(tmp_path, monkeypatch):
    project = lay_out(tmp_path)
    first = {path.name: path.read_bytes() for path in run(project, monkeypatch, by_frame=True).iterdir()}
    second = {path.name: path.read_bytes() for path in run(project, monkeypatch, by_frame=True).iterdir()}
    assert first == second
    assert set(first) == {
        *("calibration.csv", "confusion.csv", "evaluation.json", "folds.csv", "frames.csv", "metrics.json"),
        *("pr.csv", "predictions.csv", "roc.csv", "rules.csv"),
    }


def test_a_corrected_label_is_another_test_set(tmp_path, monkeypatch):
    corrected = [CLASSES[i % 2] for i in range(N)]
    corrected[22] = "stalking"
    digests = []
    for name, labels in (("before", None), ("after", corrected)):
        (tmp_path / name).mkdir()
        folder = run(lay_out(tmp_path / name, labels), monkeypatch)
        digests.append(json.loads((folder / "evaluation.json").read_text())["test_digest"])
    assert digests[0] != digests[1]


def test_a_label_that_the_model_does_not_know(tmp_path, monkeypatch):
    strange = [CLASSES[i % 2] for i in range(N)]
    strange[3] = "waiting"
    with pytest.raises(BadDataError, match=r"labelled `waiting`\. Wanted: one of non_stalking, stalking"):
        run(lay_out(tmp_path, strange), monkeypatch)


def test_a_real_bundle(tmp_path):
    project = lay_out(tmp_path)
    info = BundleInfo(
        model_id="majority",
        settings={},
        classes=CLASSES,
        view_name="numbers",
        view=View(sampling="five", numbers=True),
        shapes=InputShapes(numbers=(5, 29)),
        scaler=None,
        calibration=Calibration(),
        threshold=0.5,
        parameters=2,
        chain={},
        training={},
        digests={},
    )
    write_bundle(project.out("train", "logistic"), info, {"shares": np.array([0.75, 0.25])})
    evaluate.run(project, "logistic")
    test = json.loads(project.out("evaluate", "logistic", "evaluation.json").read_text())["splits"]["test"][
        "clips"
    ]
    assert test["confusion"] == [[4, 0], [3, 0]]
    assert test["metrics"]["precision_stalking"]["value"] is None
    assert test["metrics"]["roc_auc"]["value"] == 0.5
    assert test["metrics"]["brier"]["value"] == pytest.approx((4 * 0.25**2 + 3 * 0.75**2) / 7)


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param(fold_columns(CLASSES), id="present"),
        pytest.param(answer_columns(CLASSES), id="of before"),
    ],
)
def test_folds_are_summed_up(tmp_path, monkeypatch, columns):
    project = lay_out(tmp_path)
    truth = np.array([CLASSES.index(CLASSES[i % 2]) for i in range(6)])
    predicted = np.where(np.arange(6) == 3, 1 - truth, truth)
    probabilities = np.eye(2)[predicted]
    sides = ["val"] * 2 + ["test"] * 4
    said = Said("fold-0", 5, CLIP_IDS[:6], sides, predicted, probabilities, probabilities)
    rows = [{name: row[name] for name in columns} for row in fold_rows(said, CLASSES)]
    write_csv(project.out("train", "logistic", "folds.csv"), columns, rows)
    folder = run(project, monkeypatch)
    found = json.loads((folder / "evaluation.json").read_text())["folds"]
    assert (found["n"], found["seeds"], found["metrics"]["accuracy"]["value"]) == (4, [5], 0.75)
    told = rows_of(folder / "folds.csv")
    assert [row["clip_id"] for row in told] == CLIP_IDS[2:6]
    assert {row["coverage"] for row in told} == {""}  # train does not say it
    ((_, read),) = parts_of(told, CLASSES)
    assert np.isnan(read.coverage).all()
