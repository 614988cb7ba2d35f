"""From what was learned to a bundle that predicts with calibrated probabilities."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from components.core.settings import to_dict
from components.features.scaler import Scaler
from components.features.views import View
from components.models.base import InputShapes
from components.models.bundle import Bundle, BundleInfo, Predictions
from components.models.calibration import Calibration
from components.models.environment import describe_environment
from components.training.calibration import fit_calibration
from components.training.learn import Learned
from components.training.task import Task
from components.training.usefulness import signs_of_nothing

THRESHOLD = 0.5


def describe(
    task: Task,
    learned: Learned,
    *,
    view_name: str,
    view: View,
    chain: dict[str, Any],
    scaler: Scaler | None,
    digests: Mapping[str, Any],
) -> BundleInfo:
    """The description of a bundle, not calibrated yet.

    Args:
        chain: settings of a clip's way to the view, as plain values.
        digests: of data and code, and under `weights` of the third-party networks on the clip's way.
    """
    return BundleInfo(
        model_id=task.model_id,
        settings=to_dict(task.settings),
        classes=task.classes,
        view_name=view_name,
        view=view,
        shapes=InputShapes(**task.shapes.of(task.definition.streams)),
        scaler=scaler,
        calibration=Calibration(),
        threshold=THRESHOLD,
        parameters=learned.parameters,
        chain=chain,
        training={
            **learned.outcome,
            "settings": to_dict(task.training),
            "train_clips": len(task.learned_rows),
            "val_clips": len(task.val_rows),
        },
        digests={**digests, "weights": {**digests.get("weights", {}), **learned.digests}},
        environment=describe_environment(),
    )


def calibrate(
    info: BundleInfo,
    task: Task,
    learned: Learned,
    frames: np.ndarray | None,
    numbers: np.ndarray | None,
    activations: np.ndarray | None = None,
) -> BundleInfo:
    """The description with the calibration that the validation side asks for.

    Args:
        frames, numbers, activations: the view's tensors, unscaled.
    """
    is_scorer = task.definition.kind == "anomaly"
    rows = task.normal(task.train_rows) if is_scorer else task.val_rows
    said = answers(Bundle(info, learned.arrays), learned, rows, frames, numbers, activations)
    if said.scores is not None:
        return _with_threshold(info, task, said.scores)
    labels = task.labels[task.val_rows]
    if task.training.calibration != "none":
        info = replace(info, calibration=fit_calibration(said.raw, labels, task.training.calibration))
    return replace(info, training={**info.training, "warnings": _warnings(info, task, said, labels)})


def _warnings(info: BundleInfo, task: Task, said: Predictions, labels: np.ndarray) -> list[str]:
    """Signs that a model has learned nothing; one that looks at nothing has nothing to learn."""
    if not task.definition.streams:
        return []
    judged = Bundle(info, {}).of_raw(said.raw if said.frames is None else said.frames)
    return signs_of_nothing(task.model_id, said.raw, judged.predicted, labels)


def answers(
    bundle: Bundle,
    learned: Learned,
    rows: np.ndarray,
    frames: np.ndarray | None,
    numbers: np.ndarray | None,
    activations: np.ndarray | None,
) -> Predictions:
    """What a new bundle says of some clips of its task.

    It is asked as evaluate and serving ask it, unless training had the same answers without pixels.
    """
    if learned.raw is not None:
        return bundle.of_raw(learned.raw[rows])
    return bundle.predict(frames, numbers, rows, activations)


def _with_threshold(info: BundleInfo, task: Task, scores: np.ndarray) -> BundleInfo:
    """The threshold of a scorer of anomalies: a quantile of the scores of normal clips of the train side."""
    threshold = float(np.quantile(scores, task.training.normal_quantile))
    reason = "a scorer of anomalies has no probabilities"
    return replace(info, threshold=threshold, calibration=Calibration(n=len(scores), reason=reason))
