"""A project whose pipeline has run, without video: real bundles, real evaluations, a made-up dvc.lock.

Of each clip's 29 numbers the first tells its label, the second tells it four times out of five, the third
tells nothing. A model is a logistic regression that looks at one of them.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from components.core.files import file_sha256, write_json
from components.core.settings import to_dict
from components.core.tables import write_csv
from components.datasets.clips import Clip, Label
from components.features.scaler import Scaler
from components.models.base import InputShapes
from components.models.bundle import BundleInfo, write_bundle
from components.models.calibration import Calibration
from components.models.fold_table import fold_columns
from pipelines import compare, evaluate
from pipelines.artifacts import Project, write_clips, write_labels

CLASSES = ("non_stalking", "stalking")
N_TRAIN, N_TEST = 20, 60
COLUMN = {"oracle": 0, "fair": 1, "shuffled": 2}
PARAMS = """
dataset: {root: clips, classes: [non_stalking, stalking]}
samplings: {five: {kind: uniform, frames: 5}}
segment: {backend: none}
featurize: {sampling: five, detector: blazeface, landmarks: mediapipe}
views: {numbers: {sampling: five, numbers: true}}
models:
  majority: {view: numbers, runs_on: cpu}
  logistic: {view: numbers, runs_on: cpu}
compare: {baselines: [majority], bootstrap: {samples: 200}}
evaluate: {bootstrap: {samples: 200}}
gate: {samples: 500}
protocol: {kind: holdout}
train: {seed: 27, epochs: 3}
resources: {cpu: {pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}
"""


@dataclass(frozen=True)
class Laid:
    """A project in a folder."""

    project: Project

    @property
    def root(self) -> Path:
        return self.project.root

    def train(self, model_id: str, looks_at: str, strength: float = 8.0) -> None:
        """Write the bundle of a model, then evaluate and compare anew."""
        kernel = np.zeros((5 * 29, 1))
        kernel[COLUMN[looks_at] :: 29] = strength
        arrays = {"kernel": kernel, "bias": np.zeros(1)}
        self._write(model_id, arrays, f"{looks_at} {strength}")
        self._lock(f"{looks_at} {strength}")
        for name in self.project.params.models:
            evaluate.run(self.project, name)
        compare.run(self.project)

    def _write(self, model_id: str, arrays: dict[str, np.ndarray], code: str = "") -> None:
        folder = self.project.out("train", model_id)
        params = self.project.params
        info = BundleInfo(
            model_id=model_id,
            settings={},
            classes=CLASSES,
            view_name="numbers",
            view=params.views["numbers"],
            shapes=InputShapes(numbers=(5, 29)),
            scaler=Scaler(np.zeros(29), np.ones(29), np.full(29, 100)),
            calibration=Calibration(),
            threshold=0.5,
            parameters=sum(array.size for array in arrays.values()),
            chain=to_dict(params.chain),
            training={},
            digests={"data": "d" * 64, "code": code},
        )
        write_bundle(folder, info, arrays)
        write_csv(folder / "folds.csv", fold_columns(CLASSES), ())
        write_csv(
            folder / "history.csv",
            ("epoch", "loss", "val_loss"),
            [{"epoch": 1, "loss": 0.7, "val_loss": 0.6}],
        )

    def _lock(self, state: str) -> None:
        params = {"params.yaml": {"dataset.classes": list(CLASSES), "train": {"seed": 27, "epochs": 3}}}
        own = {name: {f"models.{name}": {"view": "numbers"}} for name in self.project.params.models}
        tensors = {"path": "outs/reshape/numbers", "md5": "1" * 32 + ".dir"}
        stages = {
            "ingest": {"cmd": "tailwatch ingest", "deps": [{"path": "clips", "md5": "2" * 32 + ".dir"}]}
        }
        for name in self.project.params.models:
            weights = {"path": f"outs/train/{name}/weights.npz", "md5": self._md5(name)}
            stages[f"train@{name}"] = {
                "cmd": f"tailwatch train {name}",
                "deps": [tensors, {"path": "components/models", "md5": "3" * 32 + ".dir"}],
                "params": {"params.yaml": {**params["params.yaml"], **own[name]}},
                "outs": [weights],
            }
            stages[f"evaluate@{name}"] = {"cmd": f"tailwatch evaluate {name}", "deps": [tensors, weights]}
        evaluations = {
            "path": "outs/evaluate",
            "md5": file_sha256(self.project.out("train", "logistic", "weights.npz")),
        }
        stages["compare"] = {"cmd": "tailwatch compare", "deps": [evaluations]}
        (self.root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))

    def _md5(self, model_id: str) -> str:
        return file_sha256(self.project.out("train", model_id, "weights.npz"))[:32]


def lay_out(root: Path, checkout: Path) -> Laid:
    """The project, its models not trained yet."""
    (root / "params.yaml").write_text(PARAMS)
    for name in ("requirements.lock", "dvc.yaml"):
        shutil.copy(checkout / name, root / name)
    project = Project.open(root)
    n = N_TRAIN + N_TEST
    clip_ids = [f"{CLASSES[i % 2]}/clip{i:02d}.mp4" for i in range(n)]
    clips = [Clip(name, name, None, None, f"{i:064d}", 1000, "folder") for i, name in enumerate(clip_ids)]
    write_clips(project.out("ingest", "clips.csv"), clips)
    splits = ["train"] * (N_TRAIN // 2) + ["val"] * (N_TRAIN // 2) + ["test"] * N_TEST
    labels = [
        Label(name, CLASSES[i % 2], (), f"film{i // 4:02d}", splits[i], "") for i, name in enumerate(clip_ids)
    ]
    write_labels(project.out("ingest", "labels.csv"), labels)
    seen = {"status": "ok", "span_s": 2.0, "width": 64, "height": 48, "average_rate": "25", "codec": "h264"}
    write_csv(
        project.out("extract", "index.csv"),
        ("clip_id", *seen),
        [{"clip_id": name} | seen for name in clip_ids],
    )
    _write_tensors(project.out("reshape", "numbers"), clip_ids)
    laid = Laid(project)
    laid._write("majority", {"shares": np.array([0.5, 0.5])})
    return laid


def _write_tensors(folder: Path, clip_ids: list[str]) -> None:
    rng = np.random.default_rng(27)
    order = sorted(range(len(clip_ids)), key=clip_ids.__getitem__)
    told = np.array([1.0 if i % 2 else -1.0 for i in order])
    numbers = np.zeros((len(order), 5, 29), np.float32)
    numbers[:, :, 0] = told[:, None]
    numbers[:, :, 1] = np.where(np.array(order) % 5 == 0, -told, told)[:, None]
    numbers[:, :, 2] = rng.choice([-1.0, 1.0], len(order))[:, None]
    write_json(folder / "clips.json", {"clips": [clip_ids[i] for i in order]})
    np.save(folder / "numbers.npy", numbers)
    np.save(folder / "measured.npy", np.ones(numbers.shape, bool))
