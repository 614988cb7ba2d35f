"""Majority: every clip gets the class shares of the train side. What any model must beat."""

from dataclasses import dataclass

import numpy as np

from components.models.base import Arrays, ClosedForm, TrainSide
from components.models.logits import n_logits


@dataclass(frozen=True)
class MajoritySettings:
    """Nothing can be chosen."""


def fit(_settings: MajoritySettings, side: TrainSide) -> dict[str, np.ndarray]:
    """Count the classes; their weights have no say, because weighted shares would all be equal."""
    return {"shares": np.bincount(side.labels, minlength=side.n_classes) / len(side.labels)}


def logits(arrays: Arrays, _inputs: Arrays, n: int) -> np.ndarray:
    """The same logits (N, 1) or (N, K) for all clips."""
    logs = np.log(arrays["shares"])
    row = logs if n_logits(len(logs)) > 1 else logs[1:] - logs[:1]
    return np.tile(row, (n, 1))


MODEL = ClosedForm(
    title="the most frequent class",
    source="baseline",
    kind="clips",
    streams=(),
    settings=MajoritySettings,
    fit=fit,
    logits=logits,
)
