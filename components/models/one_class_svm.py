"""One-class support vector machine on the numbers of a clip in one row, which has learned normal clips alone.

Source: Schoelkopf et al., "Estimating the Support of a High-Dimensional Distribution", Neural Computation
2001; quoted by paper 004, Table VIII, which does not say on which features. Ours are the 29 numbers.
"""

from dataclasses import dataclass

import numpy as np

from components.core.errors import UsageError
from components.models.base import Arrays, ClosedForm, TrainSide


@dataclass(frozen=True)
class OneClassSVMSettings:
    """Hyper-parameters.

    Attributes:
        nu: bound of the share of normal clips left outside, in (0, 1].
        gamma: of the radial kernel; None is 1 / (columns x variance).
    """

    nu: float = 0.1
    gamma: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.nu <= 1 or (self.gamma is not None and not self.gamma > 0):
            raise UsageError(
                f"models.one_class_svm has nu {self.nu} and gamma {self.gamma}",
                wanted="nu above 0 and up to 1, gamma above 0 or null",
                remedy="correct params.yaml",
            )


def fit(settings: OneClassSVMSettings, side: TrainSide) -> dict[str, np.ndarray]:
    """Learn the support vectors (V, T * 29) of standardised numbers (N, T, 29)."""
    from sklearn.svm import OneClassSVM

    rows = _rows(side.inputs)
    gamma = settings.gamma or 1.0 / (rows.shape[1] * max(float(rows.var()), np.finfo(float).eps))
    model = OneClassSVM(nu=settings.nu, gamma=gamma).fit(rows)
    return {
        "vectors": model.support_vectors_,
        "weights": model.dual_coef_[0],
        "offset": model.offset_,
        "gamma": np.array([gamma]),
    }


def scores(arrays: Arrays, inputs: Arrays, _n: int) -> np.ndarray:
    """Scores (N, 1): how far a clip lies outside what is normal."""
    rows, vectors = _rows(inputs), arrays["vectors"]
    squared = (rows**2).sum(1)[:, None] + (vectors**2).sum(1)[None] - 2 * rows @ vectors.T
    inside = np.exp(-arrays["gamma"][0] * np.maximum(squared, 0.0)) @ arrays["weights"]
    return (arrays["offset"][0] - inside)[:, None]


def _rows(inputs: Arrays) -> np.ndarray:
    numbers = np.asarray(inputs["numbers"], np.float64)
    return numbers.reshape(len(numbers), numbers.shape[1] * numbers.shape[2])  # (N, T, 29) -> (N, T * 29)


MODEL = ClosedForm(
    title="one-class SVM on the 29 numbers",
    source="paper 004, Table VIII (Schoelkopf et al. 2001)",
    kind="anomaly",
    streams=("numbers",),
    settings=OneClassSVMSettings,
    learns_from="normal",
    fit=fit,
    logits=scores,
)
