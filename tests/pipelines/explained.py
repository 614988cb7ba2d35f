"""A project whose only learned model, a logistic regression, looks at nothing but the distance."""

from pathlib import Path
from typing import Any

import numpy as np

from components.core.files import write_json
from components.core.tables import write_csv
from components.evaluation.predictions import ClipPredictions, columns, to_rows
from components.features.scaler import Scaler
from components.features.views import View
from components.models.base import InputShapes
from components.models.bundle import BundleInfo, write_bundle
from components.models.calibration import Calibration
from pipelines.artifacts import Project
from pipelines.reporting.explained import Models

CLASSES = ("walking", "following")
N, T = 40, 2
PARAMS = """
dataset: {root: clips, classes: [walking, following]}
samplings: {two: {kind: uniform, frames: 2}}
segment: {backend: none}
featurize: {sampling: two}
views: {numbers: {sampling: two, numbers: true}}
models: {majority: {view: numbers, runs_on: cpu}, logistic: {view: numbers, runs_on: cpu}}
compare: {baselines: [majority]}
resources: {cpu: {pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}
"""


def predictions(positive: np.ndarray, labels: np.ndarray | None = None) -> ClipPredictions:
    """Clips by the probability of the second class; every fourth on val, one on train, the others on test."""
    n = len(positive)
    share = np.stack([1 - positive, positive], axis=1)
    splits = np.where(np.arange(n) % 4 == 3, "val", "test").astype("<U5")
    splits[-1] = "train"
    return ClipPredictions(
        np.array([f"clip{k:02d}" for k in range(n)]),
        splits,
        np.array([f"film<{k // 2}>" for k in range(n)]),
        np.arange(n) % 2 if labels is None else labels,
        share.argmax(axis=1),
        share,
        share,
        np.ones(n),
        CLASSES,
    )


def explained_project(root: Path) -> Models:
    """Forty clips; the larger the distance, the surer `following` is said; clips 4 and 5 are wrong."""
    (root / "params.yaml").write_text(PARAMS)
    project = Project.open(root)
    rng = np.random.default_rng(27)
    numbers = rng.normal(size=(N, T, 29)).astype(np.float32)
    sign = np.where(np.arange(N) % 2, 1.0, -1.0)
    sign[4:6] *= -1
    numbers[:, :, -1] = (sign * np.linspace(0.1, 2, N))[:, None]
    folder = project.out("reshape", "numbers")
    table = predictions(1 / (1 + np.exp(-2 * numbers[:, 0, -1].astype(float))))
    write_json(folder / "clips.json", {"clips": table.clip_ids.tolist()})
    np.save(folder / "numbers.npy", numbers)
    np.save(folder / "measured.npy", np.isfinite(numbers))
    kernel = np.zeros((T, 29, 1))
    kernel[:, -1] = 1.0
    arrays = {"kernel": kernel.reshape(-1, 1), "bias": np.zeros(1)}
    write_bundle(project.out("train", "logistic"), _info(), arrays)
    for model_id in project.params.models:
        path = project.out("evaluate", model_id, "predictions.csv")
        write_csv(path, columns(CLASSES), to_rows(table))
    return Models(project, comparison())


def comparison(**changes: Any) -> dict[str, Any]:
    """What is read of compare's result."""
    models = [compared("majority", 0.9, is_baseline=True), compared("logistic", 0.8)]
    return {"models": models, "challenger": "logistic", "choose_by": "accuracy"} | changes


def compared(model_id: str, val_accuracy: float | None, *, is_baseline: bool = False) -> dict[str, Any]:
    """One model of a comparison."""
    val = {"clips": {"metrics": {"accuracy": {"value": val_accuracy}}}}
    return {"model": model_id, "is_baseline": is_baseline, "threshold": 0.5, "splits": {"val": val}}


def _info() -> BundleInfo:
    return BundleInfo(
        model_id="logistic",
        settings={},
        classes=CLASSES,
        view_name="numbers",
        view=View(sampling="two", numbers=True),
        shapes=InputShapes(numbers=(T, 29)),
        scaler=Scaler(np.zeros(29), np.ones(29), np.full(29, 9)),
        calibration=Calibration(),
        threshold=0.5,
        parameters=59,
        chain={},
        training={},
        digests={},
    )
