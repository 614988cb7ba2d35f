"""Logistic regression on the T x 29 numbers of a clip in one row. What pixels must add something to."""

from dataclasses import dataclass

import numpy as np

from components.core.errors import UsageError
from components.models.base import Arrays, ClosedForm, TrainSide


@dataclass(frozen=True)
class LogisticSettings:
    """Hyper-parameters.

    Attributes:
        c: inverse strength of the L2 penalty, above 0.
        max_iterations: of the solver.
    """

    c: float = 1.0
    max_iterations: int = 1000

    def __post_init__(self) -> None:
        if not self.c > 0 or self.max_iterations < 1:
            raise UsageError(
                f"models.logistic has c {self.c} and max_iterations {self.max_iterations}",
                wanted="both above 0",
                remedy="correct params.yaml",
            )


def fit(settings: LogisticSettings, side: TrainSide) -> dict[str, np.ndarray]:
    """Learn kernel (T * 29, 1 or K) and bias from standardised numbers (N, T, 29)."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=settings.c, max_iter=settings.max_iterations)
    model.fit(_rows(side.inputs), side.labels, sample_weight=side.weights)
    return {"kernel": model.coef_.T, "bias": model.intercept_}


def logits(arrays: Arrays, inputs: Arrays, _n: int) -> np.ndarray:
    """Logits (N, 1) or (N, K)."""
    return _rows(inputs) @ arrays["kernel"] + arrays["bias"]


def _rows(inputs: Arrays) -> np.ndarray:
    numbers = np.asarray(inputs["numbers"], np.float64)
    return numbers.reshape(len(numbers), numbers.shape[1] * numbers.shape[2])  # (N, T, 29) -> (N, T * 29)


MODEL = ClosedForm(
    title="logistic regression on the 29 numbers",
    source="baseline",
    kind="clips",
    streams=("numbers",),
    settings=LogisticSettings,
    parameters=146,
    fit=fit,
    logits=logits,
)
