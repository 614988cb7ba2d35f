"""evaluate: from tensors and a bundle to predictions, metrics and curves."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.core.files import write_json
from components.datasets.clips import Clip, Label
from components.features.views import View
from components.models.base import InputShapes
from components.models.bundle import BundleInfo, write_bundle
from components.models.calibration import Calibration
from pipelines import evaluate
from pipelines.artifacts import Project, write_clips, write_labels

CLASSES = ("non_stalking", "stalking")
PARAMS = """
dataset: {root: clips, classes: [non_stalking, stalking]}
samplings: {five: {kind: uniform, frames: 5}}
views: {numbers: {sampling: five, numbers: true}}
models: {logistic: {view: numbers}}
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
            model_id="logistic", classes=CLASSES, threshold=0.5, view=view, parameters=146
        )
        self.by_frame = by_frame

    def predict(self, frames, numbers, rows=None):
        assert frames is None
        positive = np.asarray(numbers[rows][..., 0], dtype=np.float64)
        frames = np.stack([1 - positive, positive], axis=-1)
        clip = frames.mean(axis=1)
        return SimpleNamespace(clip=clip, raw=clip, frames=frames if self.by_frame else None)


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


def test_same_bytes_every_time(tmp_path, monkeypatch):
    project = lay_out(tmp_path)
    first = {path.name: path.read_bytes() for path in run(project, monkeypatch, by_frame=True).iterdir()}
    second = {path.name: path.read_bytes() for path in run(project, monkeypatch, by_frame=True).iterdir()}
    assert first == second
    assert set(first) == {
        *("calibration.csv", "confusion.csv", "evaluation.json", "frames.csv", "metrics.json"),
        *("pr.csv", "predictions.csv", "roc.csv"),
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
