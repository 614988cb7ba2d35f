"""Calibration of a model's probabilities: what is applied; components.training fits it.

Source: Platt 1999 (sigmoid of a line through the log odds, two classes); Guo et al. 2017 (temperature,
more classes).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from components.models.logits import SMALLEST, log_odds, sigmoid, to_probabilities


@dataclass(frozen=True)
class Calibration:
    """A monotone correction: it changes probabilities, not the order of clips, nor the best class of many.

    Attributes:
        kind: identity leaves them as they are.
        slope: factor of the log odds (platt) or of the log probabilities (temperature).
        intercept: added to the scaled log odds (platt).
        n: validation clips that it was fitted on; normal train clips of a scorer's threshold.
        reason: why it is the identity.
    """

    kind: Literal["identity", "platt", "temperature"] = "identity"
    slope: float = 1.0
    intercept: float = 0.0
    n: int = 0
    reason: str = ""

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Calibrated probabilities (N, K) of raw ones (N, K)."""
        if self.kind == "identity":
            return raw
        if self.kind == "platt":
            positive = sigmoid(self.slope * log_odds(raw) + self.intercept)
            return np.stack([1.0 - positive, positive], axis=-1)
        return to_probabilities(self.slope * np.log(np.maximum(raw, SMALLEST)))
