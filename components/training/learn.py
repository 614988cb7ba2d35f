"""From a model's definition and the two sides of a split to its weights."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core.errors import BadDataError, UsageError
from components.models.backbones import backbones_left_out
from components.models.base import ClosedForm, KerasDefinition, TrainSide
from components.models.frozen import FEATURES, FRAMES, find_lower, head_of
from components.models.logits import to_probabilities
from components.models.networks import Logits, build_network, weights_of
from components.training.checkpoint import Checkpoints
from components.training.data import Samples, batches, check_classes, class_weights, clips_of, frames_of
from components.training.dead_units import dead_fractions
from components.training.features import Features, Pixels, learns_from_features
from components.training.loop import Loop, score
from components.training.observer import Observer
from components.training.precision import prepared
from components.training.progress import Progress
from components.training.task import Task

if TYPE_CHECKING:
    import keras

log = logging.getLogger("tailwatch")

HISTORY_COLUMNS = ("epoch", "step", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


@dataclass(frozen=True)
class Learned:
    """What training gives.

    Attributes:
        arrays: the weights by name.
        history: one row per epoch.
        outcome: epochs, steps, best_epoch, stopped, cut_short, dead_units, precision: plain values.
        digests: of third-party weights that it began from, by file.
        raw: (N, K) probabilities of val and test clips, (N, T, K) by a classifier of frames, or (N, S) scores
            of these and of train clips by a scorer of anomalies, where they were had without pixels; NaN of
            all others.
    """

    arrays: dict[str, np.ndarray]
    history: list[dict[str, float | None]]
    outcome: dict[str, Any]
    digests: dict[str, str]
    raw: np.ndarray | None = None

    @property
    def parameters(self) -> int:
        """Numbers in the weights."""
        return sum(array.size for array in self.arrays.values())


def learn(
    task: Task, checkpoints: Checkpoints | None, observer: Observer, features: Features | None = None
) -> Learned:
    """Train a model.

    Args:
        features: where a frozen backbone's features are kept; by default they are made anew.

    Raises:
        BadDataError: a class has no clip on the train or on the val side.
        UsageError: settings, view and model do not fit each other.
        FinalError: nothing usable was learned, and a retry would give the same.
    """
    check_classes("train", task.labels[task.train_rows], task.classes)
    check_classes("val", task.labels[task.val_rows], task.classes)
    _check_augmentation(task)
    _check_finite(task)
    train, val = _samples(task, task.train_rows), _samples(task, task.val_rows)
    observer.on_start(
        {"model": task.model_id, "train_clips": len(task.learned_rows), "val_clips": len(task.val_rows)}
    )
    if isinstance(task.definition, ClosedForm):
        learned = _fit(task, task.definition, train, val, observer)
    elif isinstance(task.definition, KerasDefinition):
        by_gradient = _train_head if learns_from_features(task) else _train
        kept = features or Features()
        learned = by_gradient(task, task.definition, train, val, checkpoints, observer, kept)
    else:
        raise TypeError(f"{task.model_id} is neither a network nor fitted in closed form")
    observer.on_end(learned.outcome)
    return learned


def _samples(task: Task, rows: np.ndarray) -> Samples:
    n_classes = len(task.classes)
    if task.definition.learns_from == "normal":
        rows = task.normal(rows)
    labels = task.labels[rows]
    compared = isinstance(task.definition, KerasDefinition) and task.definition.loss_needs_batch
    weigh = task.training.class_weights and task.definition.learns_from == "all" and not compared
    weights = class_weights(labels, n_classes) if weigh else np.ones(n_classes)
    return _samples_of(task, rows, weights)


def _samples_of(task: Task, rows: np.ndarray, weights: np.ndarray) -> Samples:
    wanted: tuple[str, ...] = task.definition.streams
    streams = {name: tensor for name, tensor in task.streams.items() if name in wanted}
    make = frames_of if task.definition.kind == "frames" else clips_of
    return make(streams, rows, task.labels[rows], weights)


def _train(
    task: Task,
    definition: KerasDefinition,
    train: Samples,
    val: Samples,
    checkpoints: Checkpoints | None,
    observer: Observer,
    _features: Features,
) -> Learned:
    with prepared(task.training) as precision:
        network, digests = _initialised(task, definition)
        own = (_loss(task, definition), definition.loss_needs_batch)
        loop = Loop(network, task.training, train, val, checkpoints, observer, *own)
        progress = loop.run()
        dead = dead_fractions(network, definition.bottlenecks, val, task.training.batch)
    return Learned(weights_of(network), progress.history, _outcome(task, progress, dead, precision), digests)


def _train_head(
    task: Task,
    definition: KerasDefinition,
    train: Samples,
    val: Samples,
    checkpoints: Checkpoints | None,
    observer: Observer,
    features: Features,
) -> Learned:
    """Train what lies above a frozen backbone on its features; in float32, so that they suit any machine."""
    with prepared(replace(task.training, mixed_precision="off")) as precision:
        with backbones_left_out():
            head = head_of(_built(task, definition))
        lower = find_lower(
            task.located.pretrained,
            task.streams[FRAMES].shape[-3:],
            lambda: _initialised(task, definition)[0],
        )
        pixels = Pixels(task.streams[FRAMES], task.digests.get(FRAMES, ()), task.files)
        width = head.inputs[0].shape[-1]
        known = features.of(
            lower, width, pixels, np.concatenate([task.train_rows, task.val_rows, task.test_rows])
        )
        train, val = _on_features(train, known), _on_features(val, known)
        own = (_loss(task, definition), definition.loss_needs_batch)
        loop = Loop(head, task.training, train, val, checkpoints, observer, *own)
        progress = loop.run()
        dead = dead_fractions(head, definition.bottlenecks, val, task.training.batch)
        raw = _raw(loop.ask, task, known)
        arrays = {**features.weights(lower), **weights_of(head)}
    outcome = _outcome(task, progress, dead, precision)
    return Learned(arrays, progress.history, outcome, lower.digests, raw)


def _loss(task: Task, definition: KerasDefinition) -> Callable[[Any, Any], Any] | None:
    """The model's own loss of labels and outputs; None of one that learns from cross-entropy."""
    return None if definition.loss is None else partial(definition.loss, task.settings)


def _built(task: Task, definition: KerasDefinition) -> "keras.Model":
    return build_network(task.model_id, definition, task.settings, task.shapes, len(task.classes))


def _initialised(task: Task, definition: KerasDefinition) -> "tuple[keras.Model, dict[str, str]]":
    """The network with the weights that it begins from, and the digests of those of others."""
    network = _built(task, definition)
    return network, definition.initialise(network, task.located) if definition.initialise else {}


def _on_features(samples: Samples, features: np.ndarray) -> Samples:
    others = {name: tensor for name, tensor in samples.streams.items() if name != FRAMES}
    return replace(samples, streams={**others, FEATURES: features})


def _raw(ask: Logits, task: Task, features: np.ndarray) -> np.ndarray:
    """What the bundle will say of val and test clips, and of those of train where a threshold follows."""
    is_scorer = task.definition.kind == "anomaly"
    rows = np.concatenate([task.val_rows, task.test_rows, *([task.train_rows] if is_scorer else [])])
    samples = _on_features(_samples_of(task, rows, np.ones(len(task.classes))), features)
    said = np.concatenate([ask(batch.inputs) for batch in batches(samples, task.training.batch)])
    if not is_scorer:
        said = to_probabilities(said)
    if task.definition.kind == "frames":
        said = said.reshape(len(rows), -1, said.shape[-1])
    raw = np.full((len(features), *said.shape[1:]), np.nan)
    raw[rows] = said
    return raw


def _outcome(task: Task, progress: Progress, dead: dict[str, float], precision: str) -> dict[str, Any]:
    if progress.stopped == "budget":
        log.warning(
            "%s was cut short by its budget of %d steps, after %d of %d epochs",
            *(task.model_id, progress.step, progress.epoch, task.training.epochs),
        )
    return {
        "epochs": progress.epoch,
        "steps": progress.step,
        "best_epoch": progress.best_epoch,
        "stopped": progress.stopped,
        "cut_short": progress.stopped == "budget",
        "dead_units": dead,
        "precision": precision,
    }


def _fit(task: Task, definition: ClosedForm, train: Samples, val: Samples, observer: Observer) -> Learned:
    """Fit at once; the history is one row, so that every model has a curve."""
    inputs = {name: np.asarray(tensor[train.rows]) for name, tensor in train.streams.items()}
    groups = task.groups[train.rows] if len(task.groups) else train.rows.astype(np.str_)
    side = TrainSide(inputs, train.labels, train.weights, len(task.classes), groups)
    arrays = definition.fit(task.settings, side)
    row: dict[str, float | None] = {**dict.fromkeys(HISTORY_COLUMNS, 0.0), "epoch": 1, "step": 1}
    for prefix, samples in (("", train), ("val_", val)):
        asked = {name: np.asarray(tensor[samples.rows]) for name, tensor in samples.streams.items()}
        said = definition.logits(arrays, asked, len(samples))
        if definition.kind == "anomaly":
            row |= {f"{prefix}loss": float(said.mean()), f"{prefix}accuracy": None}
            continue
        loss, accuracy = score(said, samples.labels)
        row |= {f"{prefix}loss": loss, f"{prefix}accuracy": accuracy}
    observer.on_epoch(1, {name: value for name, value in row.items() if value is not None})
    outcome = {
        "epochs": 1,
        "steps": 1,
        "best_epoch": 1,
        "stopped": "fitted",
        "cut_short": False,
        "dead_units": {},
        "precision": "float64",
    }
    return Learned(arrays, [row], outcome, {})


def _check_augmentation(task: Task) -> None:
    if task.training.augmentation == "flip" and task.definition.streams != ("frames",):
        raise UsageError(
            f"augmentation: flip for `{task.model_id}`, which does not look at frames alone",
            wanted="a model of frames alone, because a mirrored clip has other numbers",
            remedy=f"set models.{task.model_id}.train.augmentation: none in params.yaml",
        )


def _check_finite(task: Task) -> None:
    """A network's ReLU turns NaN into 0 on some processors, so it would learn from it without a sign.

    Raises:
        BadDataError: a standardised number that is none.
    """
    numbers = task.streams.get("numbers")
    if numbers is not None and not np.isfinite(numbers).all():
        raise BadDataError(
            f"The numbers that `{task.model_id}` learns from hold values that are no numbers",
            wanted="standardised numbers, missing ones 0",
            remedy="run normalize and reshape again: `dvc repro`",
        )
