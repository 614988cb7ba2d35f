"""train: tensors, labels and scaler in, a bundle out."""

import csv
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from components.core.errors import BadDataError, UsageError
from components.core.files import array_digest, file_sha256, write_json
from components.datasets.clips import Label
from components.features.columns import COLUMNS
from components.models.bundle import read_bundle
from pipelines import tasks, train, trainings, vary
from pipelines.artifacts import Project, write_labels
from pipelines.tasks import read_work
from pipelines.timings import read_timing

PARAMS = """
dataset: {root: clips, classes: [non_stalking, stalking]}
samplings: {three: {kind: uniform, frames: 3}, other: {kind: uniform, frames: 5}}
views:
  numbers: {sampling: three, numbers: true}
  small: {sampling: three, height: 48, width: 48, background: keep, numbers: true}
  pixels: {sampling: other, height: 48, width: 48, background: keep}
segment: {backend: none}
featurize: {sampling: three, look_in: frame}
protocol: {kind: holdout}
train: {seed: 27, batch: 4, epochs: 2}
models:
  majority: {view: numbers, runs_on: cpu}
  logistic: {view: numbers, runs_on: cpu, c: 0.5}
  fusion: {view: small, runs_on: cpu, dense_units: 8, filters: [2, 2], train: {max_steps: 3}}
  convlstm: {view: pixels, runs_on: cpu}
resources: {cpu: {pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}
"""
SIDES = ("train", "train", "val", "train", "train", "val", "test", "")
CLASSES = ("non_stalking", "stalking")
N = 24


@dataclass
class Laid:
    """A project up to train's inputs."""

    project: Project
    labels: dict[str, Label]

    def write_labels(self) -> None:
        write_labels(self.project.out("ingest", "labels.csv"), self.labels.values())

    def relabel(self, clip_id: str, **changes: str) -> None:
        self.labels[clip_id] = Label(**{**vars(self.labels[clip_id]), **changes})
        self.write_labels()

    def of_side(self, side: str) -> str:
        return next(clip_id for clip_id, label in self.labels.items() if label.holdout == side)

    def bytes_of(self, model: str) -> dict[str, bytes]:
        train.run(self.project, model)
        return {path.name: path.read_bytes() for path in sorted(self.project.out("train", model).iterdir())}


def _lay(root) -> Laid:
    (root / "params.yaml").write_text(PARAMS)
    project = Project.open(root)
    clip_ids = sorted(f"{CLASSES[i % 2]}/clip{i:02d}.mp4" for i in range(N))
    told = np.array([clip_id.startswith("stalking") for clip_id in clip_ids])
    rng = np.random.default_rng(27)
    numbers = rng.normal(900.0 + 200 * told[:, None, None], 50, (N, 3, 29)).astype(np.float32)
    numbers[::5, :, 7] = np.nan
    frames = rng.integers(0, 120, (N, 3, 48, 48, 3)) + 100 * told[:, None, None, None, None]
    for view in ("numbers", "small"):
        folder = project.out("reshape", view)
        folder.mkdir(parents=True)
        write_json(folder / "clips.json", {"clips": clip_ids, "view": {}, "columns": list(COLUMNS)})
        np.save(folder / "numbers.npy", numbers)
    np.save(project.out("reshape", "small", "frames.npy"), frames.astype(np.uint8))
    scaler = {"mean": [1000.0] * 29, "scale": [100.0] * 29, "n": [36] * 29, "fit_on": "train", "leaky": False}
    write_json(project.out("normalize", "scalers.json"), {"holdout": scaler})
    sides = [SIDES[i // 2 % len(SIDES)] for i in range(N)]
    order = sorted(clip_ids, key=lambda clip_id: clip_id[-6:-4])
    labels = {
        clip_id: Label(
            clip_id, clip_id.split("/")[0], (), f"film{i // 4}", sides[i], "" if sides[i] else "copy"
        )
        for i, clip_id in enumerate(order)
    }
    laid = Laid(project, labels)
    laid.write_labels()
    return laid


@pytest.fixture
def laid(tmp_path) -> Laid:
    return _lay(tmp_path)


@pytest.fixture(scope="module")
def fused(tmp_path_factory) -> Laid:
    laid = _lay(tmp_path_factory.mktemp("fused"))
    train.run(laid.project, "fusion")
    return laid


def test_what_the_training_took_is_kept_beside_the_outs(fused):
    timing = read_timing(fused.project, "fusion")
    assert timing["bundle"] == read_bundle(fused.project.out("train", "fusion")).digest
    assert (timing["trainings"], timing["others"]) == (1, 0)
    assert timing["seconds"] > 0
    assert timing["peak_bytes"] > 10_000_000


def test_a_network_gives_a_whole_bundle(fused):
    folder = fused.project.out("train", "fusion")
    names = {path.name for path in folder.iterdir()}
    assert names == {"bundle.json", "weights.npz", "history.csv", "folds.csv"}
    info = read_bundle(folder).info
    assert info.classes == CLASSES
    assert info.settings["filters"] == [2, 2]
    assert info.view.height == 48
    assert info.shapes.frames == (3, 48, 48, 3)
    assert info.training["cut_short"] is True
    assert info.training["steps"] == info.training["settings"]["max_steps"] == 3
    assert (info.training["train_clips"], info.training["val_clips"]) == (14, 6)
    assert set(info.training["dead_units"]) == {"stream_1", "stream_2"}
    assert set(info.digests) == {"data", "code", "weights"}
    assert list(info.chain["views"]) == ["small"]
    assert list(info.chain["samplings"]) == ["three"]


def test_the_history_is_a_row_per_epoch_without_the_clock(fused):
    with fused.project.out("train", "fusion", "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1"]
    assert list(rows[0]) == ["epoch", "step", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert float(rows[0]["learning_rate"]) == pytest.approx(1e-3 / (1 + 5e-4 * 3))


def test_no_checkpoint_remains(fused):
    assert not list(fused.project.state("checkpoints").iterdir())


def test_the_same_inputs_give_the_same_bytes(fused, tmp_path):
    again = _lay(tmp_path).bytes_of("fusion")
    here = {path.name: path.read_bytes() for path in fused.project.out("train", "fusion").iterdir()}
    assert again == here


def test_nothing_of_machine_or_moment_is_written(fused):
    import platform

    text = fused.project.out("train", "fusion", "bundle.json").read_text()
    assert platform.node() not in text
    assert str(fused.project.root) not in text
    assert "seconds" not in text


def test_logistic_predicts_the_labels_that_it_learned(laid):
    train.run(laid.project, "logistic")
    bundle = read_bundle(laid.project.out("train", "logistic"))
    numbers = np.load(laid.project.out("reshape", "numbers", "numbers.npy"))
    said = bundle.predict(None, numbers)
    told = [clip_id.startswith("stalking") for clip_id in sorted(laid.labels)]
    assert (said.clip.argmax(axis=1) == told).mean() > 0.9
    assert bundle.info.settings == {"c": 0.5, "max_iterations": 1000}
    assert bundle.info.calibration.kind == "platt"


def test_a_test_label_or_a_clip_set_aside_changes_nothing(laid):
    before = laid.bytes_of("logistic")
    laid.relabel(laid.of_side("test"), label="stalking")
    laid.relabel(laid.of_side(""), label="stalking")
    assert laid.bytes_of("logistic") == before
    laid.relabel(laid.of_side("train"), label="stalking")
    assert laid.bytes_of("logistic") != before


def test_another_models_view_changes_nothing(laid):
    before = laid.bytes_of("logistic")
    path = laid.project.root / "params.yaml"
    path.write_text(path.read_text().replace("height: 48, width: 48", "height: 64, width: 64"))
    assert Laid(Project.open(laid.project.root), laid.labels).bytes_of("logistic") == before


def test_labelled_clips_without_tensors_are_reported(laid, caplog):
    for k in range(7):
        clip_id = f"stalking/gone{k}.mp4"
        laid.labels[clip_id] = Label(clip_id, "stalking", (), "film9", "train", "")
    laid.write_labels()
    train.run(laid.project, "majority")
    assert "7 labelled clips have no tensors and take no part: stalking/gone0.mp4" in caplog.text
    assert "gone4.mp4, ..." in caplog.text


def test_majority_has_nothing_to_learn_and_is_not_warned_of(laid, caplog):
    train.run(laid.project, "majority")
    assert "may have learned nothing" not in caplog.text
    bundle = read_bundle(laid.project.out("train", "majority"))
    assert bundle.info.calibration.kind == "identity"
    assert bundle.info.scaler is None
    assert bundle.predict(None, np.zeros((2, 3, 29), np.float32)).clip.tolist() == [[0.5, 0.5]] * 2


def _empty_class(laid):
    for clip_id, label in list(laid.labels.items()):
        if label.holdout == "val":
            laid.relabel(clip_id, label="stalking")


def _strange_class(laid):
    laid.relabel(laid.of_side("train"), label="running")


def _lost_tensor(laid):
    laid.project.out("reshape", "numbers", "numbers.npy").unlink()


def _stale_tensor(laid):
    np.save(laid.project.out("reshape", "numbers", "numbers.npy"), np.zeros((3, 3, 29), np.float32))


def _no_scaler(laid):
    write_json(laid.project.out("normalize", "scalers.json"), {})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(
            _empty_class, "The val side has 6 clips, none of class non_stalking", id="class missing"
        ),
        pytest.param(_strange_class, "is labelled `running`", id="unknown class"),
        pytest.param(_lost_tensor, r"numbers\.npy is not there", id="tensor missing"),
        pytest.param(_stale_tensor, r"numbers\.npy holds 3 clips", id="tensor of other clips"),
        pytest.param(_no_scaler, r"scalers\.json has nothing", id="scaler missing"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_and_nothing_is_written(damage, message, laid):
    damage(laid)
    with pytest.raises(BadDataError, match=message):
        train.run(laid.project, "logistic")
    assert not laid.project.out("train", "logistic").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("c: 0.5", "d: 0.5", r"models\.logistic\.d is not known", id="unknown setting"),
        pytest.param(
            "c: 0.5", "train: {epoch: 2}", r"models\.logistic\.train\.epoch is not", id="unknown train key"
        ),
        pytest.param(
            "logistic: {view: numbers", "logistic: {view: pixels", "has no numbers", id="view lacks numbers"
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(old, new, message, laid):
    path = laid.project.root / "params.yaml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UsageError, match=message):
        train.run(Project.open(laid.project.root), "logistic")


def test_a_stage_without_networks_imports_no_tensorflow(laid, project_root):
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from pipelines import train;"
        "from pipelines.artifacts import Project;"
        "train.run(Project.open(Path(sys.argv[1])), 'logistic'); sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(laid.project.root)], check=True, cwd=project_root, timeout=120
    )


def test_a_second_head_on_a_frozen_backbone_opens_no_pixels(laid, caplog):
    """Its weights lie in the project, and are named from there, wherever the shell is."""
    from components.models.backbones import build_backbone

    weights = laid.project.root / "w" / "mobilenet.weights.h5"
    weights.parent.mkdir()
    build_backbone("mobilenet_v2", (48, 48, 3)).get_layer("mobilenet_v2").save_weights(weights)
    heads = ("mobilenet_lstm", "mobilenet_reslstm")
    pin = f"weights: w/{weights.name}, weights_sha256: {file_sha256(weights)}"
    lines = [f"  {head}: {{view: small, runs_on: cpu, {pin}, lstm_units: 4}}" for head in heads]
    path = laid.project.root / "params.yaml"
    path.write_text(path.read_text().replace("models:", "\n".join(("models:", *lines))))
    project = Project.open(laid.project.root)
    tensor = project.out("reshape", "small", "frames.npy")
    frames = np.load(tensor)
    about = project.out("reshape", "small", "clips.json")
    told = {
        "shape": list(frames.shape),
        "digests": [array_digest(clip) for clip in frames],
        "files": [f"{k:064x}" for k in range(N)],
    }
    write_json(about, {**json.loads(about.read_text()), "frames": told})
    caplog.set_level("INFO")
    train.run(project, heads[0])
    assert "features of 20 clips made, of 0 reused" in caplog.text
    vary.run(project, heads[0], ["train.max_steps=1"])
    tensor.write_bytes(b"")  # whoever opens it now fails
    train.run(project, heads[1])
    assert "features of 0 clips made, of 20 reused" in caplog.text
    info = read_bundle(project.out("train", heads[1])).info
    assert info.calibration.n == 6
    assert info.settings["weights"] == f"w/{weights.name}"
    assert info.parameters > 2_257_984
    assert [kind for kind, _ in project.store.made_from({f"{0:064x}"})].count("features") == 1


def test_the_bundle_is_json_that_others_can_read(fused):
    values = json.loads(fused.project.out("train", "fusion", "bundle.json").read_text())
    assert values["model_id"] == "fusion"
    assert len(values["scaler"]["mean"]) == 29


KFOLD = PARAMS.replace("protocol: {kind: holdout}", "protocol: {kind: kfold, folds: 2, seeds: [1, 2]}")


@pytest.fixture
def folded(laid):
    """The same under three folds and two seeds."""
    (laid.project.root / "params.yaml").write_text(KFOLD)
    for k, clip_id in enumerate(sorted(laid.labels)):
        if laid.labels[clip_id].holdout:
            parts = (k // 2 % 4, (k // 2 + 1) % 4)
            laid.labels[clip_id] = replace(laid.labels[clip_id], parts=parts)
    laid.write_labels()
    path = laid.project.out("normalize", "scalers.json")
    scaler = json.loads(path.read_text())["holdout"]
    project = Project.open(laid.project.root)
    write_json(path, dict.fromkeys(("holdout", *project.params.protocol.fold_splits), scaler))
    return Laid(project, laid.labels)


def fold_table(laid, model):
    with laid.project.out("train", model, "folds.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_every_fold_and_seed_says_of_clips_that_it_did_not_learn_from(folded):
    train.run(folded.project, "logistic")
    rows = fold_table(folded, "logistic")
    in_folds = {clip_id for clip_id, label in folded.labels.items() if label.parts}
    for seed in ("1", "2"):
        tested = [row["clip_id"] for row in rows if (row["seed"], row["side"]) == (seed, "test")]
        assert sorted(tested) == sorted(in_folds)
    for row in rows:
        seed, part = int(row["seed"]), folded.labels[row["clip_id"]].parts[int(row["seed"]) - 1]
        fold = part // 2 if row["side"] == "test" else (part // 2 - 1) % 2
        assert row["split"] == f"fold-{fold}-of-seed-{seed}"
        assert row["side"] == "test" or part % 2 == 0


def test_folds_that_were_done_are_not_done_again(folded, monkeypatch):
    train.run(folded.project, "logistic")
    first = fold_table(folded, "logistic")
    learned = []
    real = trainings.learn
    monkeypatch.setattr(trainings, "learn", lambda task, *rest: learned.append(task) or real(task, *rest))
    train.run(folded.project, "logistic")
    assert fold_table(folded, "logistic") == first
    assert len(learned) == 1  # the holdout split, whose bundle is an out


@pytest.mark.parametrize(("cut_short", "told"), [(True, "1"), (False, "0")])
def test_a_fold_says_whether_its_training_was_cut_short(folded, monkeypatch, cut_short, told):
    real = trainings.learn

    def learn(*given):
        learned = real(*given)
        return replace(learned, outcome={**learned.outcome, "cut_short": cut_short})

    monkeypatch.setattr(trainings, "learn", learn)
    train.run(folded.project, "logistic")
    assert {row["cut_short"] for row in fold_table(folded, "logistic")} == {told}


def test_a_test_clip_of_a_fold_has_no_say_in_its_model(folded):
    splits = ("fold-0-of-seed-1", "fold-1-of-seed-1")
    before = [read_work(folded.project, "logistic", split).key for split in splits]
    tested = next(clip_id for clip_id, label in folded.labels.items() if label.parts and label.parts[0] < 2)
    other = next(name for name in CLASSES if name != folded.labels[tested].label)
    folded.relabel(tested, label=other)
    after = [read_work(folded.project, "logistic", split).key for split in splits]
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_a_network_that_learned_on_a_gpu_has_a_key_of_its_own(laid, monkeypatch):
    keys = []
    for answer in (False, True):
        monkeypatch.setattr(tasks, "on_gpu", lambda answer=answer: answer)
        keys.append([read_work(laid.project, model).key for model in ("logistic", "fusion")])
    assert keys[0][0] == keys[1][0]  # fitted in closed form
    assert keys[0][1] != keys[1][1]


@pytest.mark.parametrize(
    ("model", "background", "look_in", "masks"),
    [
        pytest.param("convlstm", "keep", "segmented", False, id="whole frames"),
        pytest.param("convlstm", "black", "frame", True, id="persons"),
        pytest.param("logistic", "keep", "segmented", True, id="numbers measured in masks"),
        pytest.param("logistic", "keep", "frame", False, id="numbers measured in frames"),
        pytest.param("majority", "keep", "segmented", False, id="labels alone"),
    ],
)
def test_only_who_looks_through_masks_names_their_network(laid, model, background, look_in, masks):
    path = laid.project.root / "params.yaml"
    text = path.read_text().replace("background: keep, numbers", f"background: {background}, numbers")
    text = text.replace(
        "  convlstm: {view: pixels, runs_on: cpu}\n", "  convlstm: {view: small, runs_on: cpu}\n"
    )
    text = text.replace("  pixels: {sampling: other, height: 48, width: 48, background: keep}\n", "")
    text = text.replace(", other: {kind: uniform, frames: 5}", "").replace("in: frame", f"in: {look_in}")
    digests = []
    for backend in ("selfie", "none"):
        path.write_text(text.replace("segment: {backend: none}", f"segment: {{backend: {backend}}}"))
        digests.append(read_work(Project.open(laid.project.root), model).digests["weights"])
    assert any("selfie_segmentation" in name for name in digests[0]) == masks
    assert (digests[0] != digests[1]) == masks
