"""From a model's definition and the two sides of a split to its weights."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.core.errors import BadDataError, UsageError
from components.models.base import ClosedForm, KerasDefinition, TrainSide
from components.models.networks import build_network, weights_of
from components.training.checkpoint import Checkpoints
from components.training.data import Samples, check_classes, class_weights, clips_of, frames_of
from components.training.dead_units import dead_fractions
from components.training.loop import Loop, score
from components.training.observer import Observer
from components.training.precision import prepared
from components.training.progress import Progress
from components.training.task import Task

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
    """

    arrays: dict[str, np.ndarray]
    history: list[dict[str, float]]
    outcome: dict[str, Any]
    digests: dict[str, str]

    @property
    def parameters(self) -> int:
        """Numbers in the weights."""
        return sum(array.size for array in self.arrays.values())


def learn(task: Task, checkpoints: Checkpoints | None, observer: Observer) -> Learned:
    """Train a model.

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
        {"model": task.model_id, "train_clips": len(task.train_rows), "val_clips": len(task.val_rows)}
    )
    if isinstance(task.definition, ClosedForm):
        learned = _fit(task, task.definition, train, val, observer)
    elif isinstance(task.definition, KerasDefinition):
        learned = _train(task, task.definition, train, val, checkpoints, observer)
    else:
        raise TypeError(f"{task.model_id} is neither a network nor fitted in closed form")
    observer.on_end(learned.outcome)
    return learned


def _samples(task: Task, rows: np.ndarray) -> Samples:
    labels, n_classes = task.labels[rows], len(task.classes)
    weights = class_weights(labels, n_classes) if task.training.class_weights else np.ones(n_classes)
    wanted: tuple[str, ...] = task.definition.streams
    streams = {name: tensor for name, tensor in task.streams.items() if name in wanted}
    make = frames_of if task.definition.kind == "frames" else clips_of
    return make(streams, rows, labels, weights)


def _train(
    task: Task,
    definition: KerasDefinition,
    train: Samples,
    val: Samples,
    checkpoints: Checkpoints | None,
    observer: Observer,
) -> Learned:
    with prepared(task.training) as precision:
        network = build_network(task.model_id, definition, task.settings, task.shapes, len(task.classes))
        digests = definition.initialise(network, task.settings) if definition.initialise else {}
        progress = Loop(network, task.training, train, val, checkpoints, observer).run()
        dead = dead_fractions(network, definition.bottlenecks, val, task.training.batch)
    return Learned(weights_of(network), progress.history, _outcome(task, progress, dead, precision), digests)


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
    side = TrainSide(inputs, train.labels, train.weights, len(task.classes))
    arrays = definition.fit(task.settings, side)
    row: dict[str, float] = dict.fromkeys(HISTORY_COLUMNS, 0.0) | {"epoch": 1, "step": 1}
    for prefix, samples in (("", train), ("val_", val)):
        asked = {name: np.asarray(tensor[samples.rows]) for name, tensor in samples.streams.items()}
        loss, accuracy = score(definition.logits(arrays, asked, len(samples)), samples.labels)
        row |= {f"{prefix}loss": loss, f"{prefix}accuracy": accuracy}
    observer.on_epoch(1, row)
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
