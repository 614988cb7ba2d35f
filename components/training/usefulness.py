"""Signs that a model has learned nothing, said before anybody relies on it."""

import logging

import numpy as np

log = logging.getLogger("tailwatch")

TELLING = 1e-6


def signs_of_nothing(model_id: str, raw: np.ndarray, labels: np.ndarray) -> list[str]:
    """Log and give what is suspicious of a model's probabilities (N, K) of the validation clips."""
    found = []
    if np.ptp(raw, axis=0).max(initial=0.0) < TELLING:
        found.append("it says the same of every validation clip")
    accuracy = float((raw.argmax(axis=1) == labels).mean())
    majority = np.bincount(labels).max() / len(labels)
    if accuracy <= majority:
        found.append(
            f"its validation accuracy of {accuracy:.3f} is not above the larger class's {majority:.3f}"
        )
    for sign in found:
        log.warning("%s may have learned nothing: %s", model_id, sign)
    return found
