"""Signs that a model has learned nothing, said before anybody relies on it."""

import logging

import numpy as np

log = logging.getLogger("tailwatch")

TELLING = 1e-6


def signs_of_nothing(model_id: str, raw: np.ndarray, predicted: np.ndarray, labels: np.ndarray) -> list[str]:
    """Log and give what is suspicious of a model's answers to the validation clips.

    Args:
        raw: (N, K) probabilities, before calibration.
        predicted, labels: (N,) class index, as the model says after calibration, and as labelled.
    """
    found = []
    if np.ptp(raw, axis=0).max(initial=0.0) < TELLING:
        found.append("it says the same of every validation clip")
    accuracy = float((predicted == labels).mean())
    majority = np.bincount(labels).max() / len(labels)
    if accuracy <= majority:
        found.append(
            f"its validation accuracy of {accuracy:.3f} is not above the larger class's {majority:.3f}"
        )
    for sign in found:
        log.warning("%s may have learned nothing: %s", model_id, sign)
    return found
