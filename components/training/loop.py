"""The training loop of every Keras model."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core import system
from components.core.errors import FinalError
from components.models.logits import cross_entropies, to_probabilities
from components.models.networks import logits_of, put_weights, weights_of
from components.training.checkpoint import Checkpoint, Checkpoints
from components.training.data import Samples, batches, epoch_flips, epoch_order, mirrored
from components.training.interruption import Interruption
from components.training.observer import Observer
from components.training.progress import Progress, is_usable
from components.training.settings import TrainSettings
from components.training.stepping import Stepper, build_optimizer, learning_rate

if TYPE_CHECKING:
    import keras

log = logging.getLogger("tailwatch")


class Loop:
    """Trains one network.

    Args:
        network: new, with its first weights.
        settings: how.
        train, val: the two sides; the validation side's weights are not used.
        checkpoints: where the training is written down; None writes nothing.
        observer: told after every epoch.
        loss, loss_needs_batch: as of `KerasDefinition`.

    Attributes:
        ask: a compiled function of inputs to what the network says with the weights that it has.
    """

    def __init__(
        self,
        network: "keras.Model",
        settings: TrainSettings,
        train: Samples,
        val: Samples,
        checkpoints: Checkpoints | None,
        observer: Observer,
        loss: Callable[[Any, Any], Any] | None = None,
        loss_needs_batch: bool = False,
    ) -> None:
        self.network, self.settings = network, settings
        self.train, self.val = train, val
        self.checkpoints, self.observer = checkpoints, observer
        self.optimizer = build_optimizer(settings)
        self.progress = Progress()
        self._loss = loss
        self._step = Stepper(network, self.optimizer, loss, loss_needs_batch)
        self.ask = logits_of(network)
        self._best: dict[str, np.ndarray] = {}
        self._interruption = Interruption()

    def run(self) -> Progress:
        """Train until a reason to stop; the network then has the best epoch's weights.

        Raises:
            FinalError: the loss was no number before the first epoch was done.
            SystemExit: the process was asked to end; the checkpoint is then that of the last step.
        """
        self._take_up()
        with self._interruption:
            while not self.progress.stopped:
                started_s, first = system.monotonic_s(), self.progress.step
                self.progress = self._epoch(self.progress)
                self._tell(system.monotonic_s() - started_s, self.progress.step - first)
            if self._interruption.code is not None:
                self._write_down(self.progress, epoch_is_done=True)
        if not self._best:
            raise self._nothing_usable()
        put_weights(self.network, self._best)
        return self.progress

    def _epoch(self, progress: Progress) -> Progress:
        """The rest of the running epoch, then validation."""
        settings = self.settings
        order = epoch_order(self.train, settings.seed, progress.epoch)
        flips = epoch_flips(self.train, settings.seed, progress.epoch)
        while progress.place < len(order) and progress.step != settings.max_steps:
            part = order[progress.place : progress.place + settings.batch]
            (batch,) = batches(self.train, settings.batch, part)
            if settings.augmentation == "flip":
                batch = mirrored(batch, flips[part])
            loss, correct = self._step(batch)
            if not is_usable(loss):
                return self._stop_at(progress)
            progress = progress.after_step(len(part), loss, correct)
            if progress.place < len(order):
                self._write_down(progress, epoch_is_done=False)
        return self._close_epoch(progress)

    def _close_epoch(self, progress: Progress) -> Progress:
        val_loss, val_accuracy = self.judge(self.val)
        if not is_usable(val_loss):
            return self._stop_at(progress)
        done = progress.after_epoch(val_loss, val_accuracy, learning_rate(self.optimizer))
        if done.best_epoch == done.epoch:
            self._best = weights_of(self.network)
        done = done.ending(self.settings.epochs, self.settings.patience, self.settings.max_steps)
        self._write_down(done, epoch_is_done=True)
        return done

    def judge(self, samples: Samples) -> tuple[float, float | None]:
        """Mean loss and accuracy of samples, all weighing the same; no accuracy under a loss of its own."""
        outputs = np.concatenate([self.ask(batch.inputs) for batch in batches(samples, self.settings.batch)])
        if self._loss is None:
            return score(outputs, samples.labels)
        return float(np.asarray(self._loss(samples.labels, outputs)).mean()), None

    def _stop_at(self, progress: Progress) -> Progress:
        log.warning(
            "%s: the loss is no number in epoch %d after %d steps; the best epoch before it is %s",
            *(self.network.name, progress.epoch + 1, progress.step, progress.best_epoch or "none"),
        )
        return replace(progress, stopped="not_finite")

    def _take_up(self) -> None:
        checkpoint = self.checkpoints.read() if self.checkpoints else None
        if checkpoint is None:
            return
        variables = self._variables()
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != [value.shape for value in checkpoint.live]:
            log.warning("%s: the checkpoint is another network's, training begins anew", self.network.name)
            return
        for variable, value in zip(variables, checkpoint.live, strict=True):
            variable.assign(value)
        self.progress, self._best = checkpoint.progress, dict(checkpoint.best)
        log.info(
            "%s goes on after epoch %d, step %d", self.network.name, self.progress.epoch, self.progress.step
        )

    def _write_down(self, progress: Progress, *, epoch_is_done: bool) -> None:
        asked_to_end = self._interruption.code is not None
        if self.checkpoints is not None and (asked_to_end or self.checkpoints.is_due(epoch_is_done)):
            live = [np.asarray(variable.numpy()) for variable in self._variables()]
            self.checkpoints.write(Checkpoint(progress, live, self._best))
        if asked_to_end:
            log.warning("%s is asked to end and stops after step %d", self.network.name, progress.step)
            raise SystemExit(self._interruption.code)

    def _variables(self) -> "list[keras.Variable]":
        """Weights, seed generators and the optimizer's state."""
        return [*self.network.variables, *self.optimizer.variables]

    def _tell(self, seconds: float, steps: int) -> None:
        if self.progress.stopped == "not_finite":
            return
        row = self.progress.history[-1]
        log.info(
            "%s: epoch %d of %d, loss %.4f, val_loss %.4f%s, %.0f ms a step",
            *(self.network.name, row["epoch"], self.settings.epochs, row["loss"], row["val_loss"]),
            "" if row["val_accuracy"] is None else f", val_accuracy {row['val_accuracy']:.3f}",
            1000 * seconds / max(1, steps),
        )
        known = {name: value for name, value in row.items() if value is not None}
        self.observer.on_epoch(self.progress.epoch, {**known, "seconds": seconds})

    def _nothing_usable(self) -> FinalError:
        return FinalError(
            f"The loss of {self.network.name} is no number from step {self.progress.step + 1} on",
            wanted="a finite loss for at least one epoch",
            remedy="lower the model's train.learning_rate in params.yaml; a retry gives the same",
        )


def score(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Mean cross-entropy and accuracy of logits (M, 1 or K) under labels (M,)."""
    chosen = to_probabilities(logits).argmax(axis=-1)
    return float(cross_entropies(logits, labels).mean()), float((chosen == labels).mean())
