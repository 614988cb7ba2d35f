"""Our own model: how much pose networks' activations change, weighed by a line for each network.

Every window of a clip is a row of its own with the clip's label; a clip's answer is the mean over its windows
and networks. The strength of the penalty is chosen by inner folds over source groups of the train side.

Source: ours (docs/decisions/0011).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from components.core.errors import UsageError
from components.features.activation_layout import NUMBERS, blocks
from components.models.base import Arrays, ClosedForm, InputShapes, TrainSide
from components.models.logits import cross_entropies

CLIP_AT = 6.0  # standard deviations
_SMALLEST = 1e-6


@dataclass(frozen=True)
class TailwatchNetSettings:
    """Hyper-parameters.

    Attributes:
        components: principal directions of the rows that are kept.
        strengths: inverse strengths of the L2 penalty to choose from, above 0.
        inner_folds: over source groups of the train side; fewer where a class has fewer groups.
        max_iterations: of the solver.
    """

    components: int = 220
    strengths: tuple[float, ...] = (0.3, 3.0, 30.0)
    inner_folds: int = 4
    max_iterations: int = 50

    def __post_init__(self) -> None:
        positive = bool(self.strengths) and min(self.strengths) > 0
        if not positive or self.components < 1 or self.inner_folds < 2:
            raise UsageError(
                f"models.tailwatch_net has components {self.components}, strengths {list(self.strengths)} "
                f"and inner_folds {self.inner_folds}",
                wanted="1 component or more, strengths above 0, 2 folds or more",
                remedy="correct params.yaml",
            )


def fit(settings: TailwatchNetSettings, side: TrainSide) -> dict[str, np.ndarray]:
    """Learn a line for each network: activations (N, NUMBERS) -> arrays by `network_k/name`."""
    arrays: dict[str, np.ndarray] = {}
    for k, block in enumerate(blocks(np.asarray(side.inputs["activations"], np.float64))):
        strength = _chosen_strength(settings, side, block)
        line = _fit_rows(settings, _reduce(settings, block), side.labels, side.weights, strength)
        arrays |= {f"network_{k}/{name}": values for name, values in line.items()}
    return arrays


def logits(arrays: Arrays, inputs: Arrays, _n: int) -> np.ndarray:
    """Logits (N, 1) or (N, K): the mean over networks and windows."""
    given = np.asarray(inputs["activations"], np.float64)
    said = [_ask(_line(arrays, k), block) for k, block in enumerate(blocks(given))]
    mean: np.ndarray = np.mean(said, axis=0)
    return mean


def _line(arrays: Arrays, k: int) -> dict[str, np.ndarray]:
    return {name: arrays[f"network_{k}/{name}"] for name in ("mean", "scale", "kernel", "bias")}


def _chosen_strength(settings: TailwatchNetSettings, side: TrainSide, block: np.ndarray) -> float:
    """The strength of the least log loss over the inner folds; the middle one where groups are too few."""
    folds = list(_inner_folds(settings, side))
    if not folds:
        return sorted(settings.strengths)[len(settings.strengths) // 2]
    losses = dict.fromkeys(settings.strengths, 0.0)
    for learn, ask in folds:
        reduced = _reduce(settings, block[learn])
        for strength in settings.strengths:
            line = _fit_rows(settings, reduced, side.labels[learn], side.weights[learn], strength)
            losses[strength] += float(cross_entropies(_ask(line, block[ask]), side.labels[ask]).sum())
    return min(settings.strengths, key=lambda strength: losses[strength])


def _inner_folds(settings: TailwatchNetSettings, side: TrainSide) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    from sklearn.model_selection import StratifiedGroupKFold

    classes = np.unique(side.labels)
    per_class = [len(np.unique(side.groups[side.labels == k])) for k in classes]
    count = min(settings.inner_folds, *per_class)
    if count < 2:
        return
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=0)
    for learn, ask in splitter.split(side.labels, side.labels, side.groups):
        if len(np.unique(side.labels[learn])) == len(classes):
            yield learn, ask


@dataclass(frozen=True)
class _Reduced:
    """Rows (n * R, P) in their principal directions, and the way there: mean and scale (D,), basis (D, P)."""

    rows: np.ndarray
    per_clip: int
    mean: np.ndarray
    scale: np.ndarray
    basis: np.ndarray


def _reduce(settings: TailwatchNetSettings, block: np.ndarray) -> _Reduced:
    """Standardise rows and turn them into their principal directions, which are not centred."""
    rows = block.reshape(-1, block.shape[2])  # (n, R, D) -> (n * R, D)
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + _SMALLEST
    standard = _standard(rows, mean, scale)
    is_wide = standard.shape[0] <= standard.shape[1]  # the smaller of the two products is decomposed
    values, vectors = np.linalg.eigh(standard @ standard.T if is_wide else standard.T @ standard)
    kept = np.argsort(values)[::-1][: settings.components]
    kept = kept[values[kept] > _SMALLEST * values.max()]
    if not is_wide:
        basis = vectors[:, kept]
        return _Reduced(standard @ basis, block.shape[1], mean, scale, basis)
    lengths = np.sqrt(values[kept])
    basis = standard.T @ (vectors[:, kept] / lengths)
    return _Reduced(vectors[:, kept] * lengths, block.shape[1], mean, scale, basis)


def _fit_rows(
    settings: TailwatchNetSettings,
    reduced: _Reduced,
    labels: np.ndarray,
    weights: np.ndarray,
    strength: float,
) -> dict[str, np.ndarray]:
    from sklearn.linear_model import LogisticRegression

    per_clip = reduced.per_clip
    model = LogisticRegression(
        C=10 * strength / per_clip, solver="newton-cholesky", max_iter=settings.max_iterations
    )
    model.fit(reduced.rows, np.repeat(labels, per_clip), sample_weight=np.repeat(weights, per_clip))
    return {
        "mean": reduced.mean,
        "scale": reduced.scale,
        "kernel": reduced.basis @ model.coef_.T,
        "bias": model.intercept_,
    }


def _ask(line: Arrays, block: np.ndarray) -> np.ndarray:
    """Logits (N, 1 or K) of a block (N, R, D): the mean over its rows."""
    rows = _standard(block, line["mean"], line["scale"]) @ line["kernel"] + line["bias"]
    mean: np.ndarray = rows.mean(axis=1)
    return mean


def _standard(rows: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    standard: np.ndarray = np.clip((rows - mean) / scale, -CLIP_AT, CLIP_AT) / np.sqrt(rows.shape[-1])
    return standard


MODEL = ClosedForm(
    title="Change of pose networks' activations (ours)",
    source="ours, docs/decisions/0011",
    kind="clips",
    streams=("activations",),
    settings=TailwatchNetSettings,
    parameters=48_458,
    paper_shapes=InputShapes(activations=(NUMBERS,)),
    fit=fit,
    logits=logits,
)
