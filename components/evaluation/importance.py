"""What an input is worth to a model: how much worse it judges clips that are given another clip's input.

Inputs that tell the same stand in for each other, so two of them can each seem worthless; and a model that
learned nothing from an input shows that, not that there is nothing to learn.

Source: Breiman, "Random Forests", Machine Learning 45, 2001, section 10; for any model: Fisher, Rudin,
Dominici, "All Models are Wrong, but Many are Useful", JMLR 20, 2019.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.evaluation.metrics import Scored, measures

METRICS = ("accuracy", "roc_auc")
Ask = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class Drop:
    """How much a metric falls: the mean over the repeats, their standard deviation; NaN where undefined."""

    mean: float
    spread: float


@dataclass(frozen=True)
class Importance:
    """Drops of metrics by group of columns, then by metric.

    Attributes:
        whole: the metrics of the clips as they are, NaN where undefined.
        drops: in the order of the groups.
        n: clips.
    """

    whole: dict[str, float]
    drops: dict[str, dict[str, Drop]]
    n: int


def permutation_importance(
    ask: Ask,
    values: np.ndarray,
    columns: Mapping[str, Sequence[int] | slice],
    labels: np.ndarray,
    classes: tuple[str, ...],
    *,
    repeats: int,
    seed: int,
) -> Importance:
    """Permute each group of columns between clips, all its columns and frames together.

    Every group gets the same permutations, so that groups differ by nothing else.

    Args:
        ask: values like these to `predicted` (N,), `clip` (N, K) and `scores` (N,) or None.
        values: (N, ..., D) of N clips.
        columns: places on the last axis by the group's name.
        labels: (N,) class index.

    Example: accuracy 0.9, and 0.7 and 0.6 with other clips' angles -> a drop of 0.25, spread 0.05.
    """
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(values)) for _ in range(repeats)]
    whole = _metrics(ask(values), labels, classes)
    drops = {}
    for name, places in columns.items():
        found = [_metrics(ask(_exchanged(values, places, order)), labels, classes) for order in orders]
        drops[name] = {metric: _drop(whole[metric], [one[metric] for one in found]) for metric in METRICS}
    return Importance(whole, drops, len(values))


def _exchanged(values: np.ndarray, places: Sequence[int] | slice, order: np.ndarray) -> np.ndarray:
    given = np.array(values)
    given[..., places] = values[order][..., places]
    return given


def _metrics(said: Any, labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    nobody = np.zeros(len(labels), np.str_)
    found = measures(Scored(labels, said.predicted, said.clip, nobody, classes, said.scores))
    return {metric: float(found[metric][0]) for metric in METRICS}


def _drop(whole: float, found: Sequence[float]) -> Drop:
    drops = whole - np.array(found)
    return Drop(float(drops.mean()), float(drops.std()))
