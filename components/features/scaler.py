"""Standardisation of the 29 numbers: (x - mean) / scale, learned from the train side.

Source: paper 000, III-H. Ours: a missing number takes no part in learning and becomes 0, the mean, when
applied.
"""

from dataclasses import dataclass

import numpy as np

from components.core.errors import BadDataError


@dataclass(frozen=True)
class Scaler:
    """One split's scaler.

    Attributes:
        mean: (D,) float64; 0 for a column that was never measured.
        scale: (D,) float64 standard deviations; 1 for a constant or unmeasured column.
        n: (D,) measured values that each column was learned from.
    """

    mean: np.ndarray
    scale: np.ndarray
    n: np.ndarray

    def apply(self, numbers: np.ndarray) -> np.ndarray:
        """Standardised numbers (..., D) float32, missing ones 0.

        Raises:
            BadDataError: another number of columns than was learned.
        """
        if numbers.shape[-1] != len(self.mean):
            raise BadDataError(
                f"numbers of {numbers.shape[-1]} columns",
                wanted=f"{len(self.mean)} columns, as the scaler learned",
                remedy="run featurize and normalize again",
            )
        scaled = (np.asarray(numbers, np.float64) - self.mean) / self.scale
        return np.where(np.isfinite(scaled), scaled, 0.0).astype(np.float32)

    def to_dict(self) -> dict[str, list[float] | list[int]]:
        """Plain values for JSON, of nine digits: the last bits of a sum differ between processors."""
        return {
            "mean": _nine_digits(self.mean),
            "scale": _nine_digits(self.scale),
            "n": [int(n) for n in self.n],
        }

    @classmethod
    def from_dict(cls, values: dict[str, list[float] | list[int]]) -> "Scaler":
        """The scaler of `to_dict`; other keys are left aside."""
        return cls(
            np.array(values["mean"], float), np.array(values["scale"], float), np.array(values["n"], int)
        )


def fit(numbers: np.ndarray) -> Scaler:
    """Learn mean and standard deviation of each column.

    Args:
        numbers: (M, D) float, a row per frame, NaN where missing.
    """
    values = np.asarray(numbers, np.float64)
    measured = np.isfinite(values)
    n = measured.sum(axis=0)
    known = np.where(measured, values, 0.0)
    mean = known.sum(axis=0) / np.maximum(n, 1)
    deviation = np.where(measured, values - mean, 0.0)
    scale = np.sqrt((deviation**2).sum(axis=0) / np.maximum(n, 1))
    constant = scale <= 1e-9 * np.maximum(np.abs(mean), 1.0)
    return Scaler(mean, np.where(constant, 1.0, scale), n)


def _nine_digits(values: np.ndarray) -> list[float]:
    return [float(f"{value:.9g}") for value in values]
