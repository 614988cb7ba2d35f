"""How far a training has come: plain values, so that it can be written down and taken up again."""

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Stopped = Literal["", "patience", "epochs", "budget", "not_finite"]


@dataclass(frozen=True)
class Progress:
    """The place of a training.

    Attributes:
        epoch: epochs that are done.
        step: steps that are done, over all epochs.
        place: samples of the running epoch that are done.
        loss_sum, correct: over these samples; None correct where there is no right and wrong.
        best_epoch: the epoch whose weights are kept; 0 before the first.
        best_loss: its validation loss.
        history: one row per epoch.
        stopped: why no epoch follows; empty while one does.
    """

    epoch: int = 0
    step: int = 0
    place: int = 0
    loss_sum: float = 0.0
    correct: int | None = 0
    best_epoch: int = 0
    best_loss: float | None = None
    history: list[dict[str, float | None]] = field(default_factory=list)
    stopped: Stopped = ""

    def after_step(self, samples: int, loss: float, correct: int | None) -> "Progress":
        """One step further."""
        return replace(
            self,
            step=self.step + 1,
            place=self.place + samples,
            loss_sum=self.loss_sum + loss * samples,
            correct=None if correct is None else (self.correct or 0) + correct,
        )

    def after_epoch(self, val_loss: float, val_accuracy: float | None, learning_rate: float) -> "Progress":
        """One epoch further; a better validation loss makes it the best."""
        row = {
            "epoch": self.epoch + 1,
            "step": self.step,
            "loss": self.loss_sum / max(1, self.place),
            "accuracy": None if self.correct is None else self.correct / max(1, self.place),
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
            "learning_rate": learning_rate,
        }
        is_best = self.best_loss is None or val_loss < self.best_loss
        return replace(
            self,
            epoch=self.epoch + 1,
            place=0,
            loss_sum=0.0,
            correct=0,
            best_epoch=self.epoch + 1 if is_best else self.best_epoch,
            best_loss=val_loss if is_best else self.best_loss,
            history=[*self.history, row],
        )

    def ending(self, epochs: int, patience: int, max_steps: int | None) -> "Progress":
        """The same, with the reason why no epoch follows, if there is one."""
        if self.epoch - self.best_epoch >= patience:
            return replace(self, stopped="patience")
        if self.epoch >= epochs:
            return replace(self, stopped="epochs")
        if max_steps is not None and self.step >= max_steps:
            return replace(self, stopped="budget")
        return self

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


def is_usable(loss: float) -> bool:
    """Whether a loss is a number that training can go on from."""
    return math.isfinite(loss)
