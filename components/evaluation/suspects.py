"""Clips to look at again: labels that the models disagree with, and a model's worst mistakes.

Source of `suspected_labels`: Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset
Labels", JAIR 70, 2021; we average the models' probabilities first, and keep clips that a model learned from,
marked.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Suspect:
    """A clip whose label deserves a second look.

    Attributes:
        place: index among the N clips.
        label, suggested: class index, as labelled and as the models see it.
        probability: of the suggested class, averaged over the models.
        agreeing: number of models whose verdict is the suggested class.
    """

    place: int
    label: int
    suggested: int
    probability: float
    agreeing: int


@dataclass(frozen=True)
class Mistake:
    """A clip on which a model is wrong; `probability` is that of the class it predicted."""

    place: int
    label: int
    predicted: int
    probability: float


def suspected_labels(labels: Integers, probabilities: Floats, predicted: Integers) -> list[Suspect]:
    """Clips that the models together confidently place in another class than their label, surest first.

    Confident means: at least as probable as that class is, on average, for the clips that bear it as their
    label, and the verdict of a model; one with a rule of its own need not say the likeliest class. A model
    that learned from a clip tends to agree with its label, so a train clip here is the more remarkable.

    Args:
        labels: (N,).
        probabilities: (M, N, K) of M models.
        predicted: (M, N) their verdicts.
    """
    mean: Floats = probabilities.mean(axis=0)
    suggested = mean.argmax(axis=1)
    usual = _usual_confidence(labels, mean)
    agreeing = (predicted == suggested).sum(axis=0)
    confident = (suggested != labels) & (mean.max(axis=1) >= usual[suggested]) & (agreeing > 0)
    found = [
        Suspect(int(i), int(labels[i]), int(suggested[i]), float(mean[i, suggested[i]]), int(agreeing[i]))
        for i in np.flatnonzero(confident)
    ]
    return sorted(found, key=lambda suspect: (-suspect.probability, suspect.place))


def worst_mistakes(labels: Integers, predicted: Integers, probabilities: Floats, limit: int) -> list[Mistake]:
    """A model's wrong clips, surest first, at most `limit`.

    Args:
        labels, predicted: (N,).
        probabilities: (N, K).
    """
    wrong = np.flatnonzero(labels != predicted)
    found = [
        Mistake(int(i), int(labels[i]), int(predicted[i]), float(probabilities[i, predicted[i]]))
        for i in wrong
    ]
    return sorted(found, key=lambda mistake: (-mistake.probability, mistake.place))[:limit]


def _usual_confidence(labels: Integers, mean: Floats) -> Floats:
    """(K,): mean probability of each class over its own clips, at least 0.5; 1 for a class without clips."""
    means = [mean[labels == k, k].mean() if (labels == k).any() else 1.0 for k in range(mean.shape[1])]
    return np.maximum(means, 0.5)
