"""Settings of train, as they stand in params.yaml, and what one model changes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from components.core.settings import check_range, parse, to_dict

HIGHEST_SEED = 2**32 - 1  # NumPy's, with which Keras begins

OF_EVERY_FIT = ("class_weights", "calibration", "normal_quantile")  # the other settings are of steps


@dataclass(frozen=True)
class TrainSettings:
    """How every model is trained, unless its own `train` section says otherwise.

    Attributes:
        seed: of weights, dropout and the order of clips.
        batch: clips per step; frames per step for a classifier of frames.
        optimizer: what takes the steps; sgd has a momentum of 0.9.
        learning_rate: the optimizer's, before any decay.
        decay: per step; what it means is said by lr_decay_kind.
        lr_decay_kind: inverse_time divides the rate by 1 + decay * step; weight_decay shrinks the weights.
        epochs: at most so many passes over the train side.
        patience: epochs without a better validation loss before training ends.
        max_steps: budget of steps; null is none. A model that it stops is said to be cut short.
        class_weights: whether classes weigh the same however many clips they have; where a loss compares the
            samples of a batch, which is then one number, they do not weigh.
        mixed_precision: auto computes in bfloat16 where a GPU is used, off always in float32.
        calibration: how probabilities are corrected on the validation side. platt also moves the threshold
            between two classes, which a validation side of few sources cannot tell; temperature does not.
        normal_quantile: share of the train side's normal clips that a scorer of anomalies passes by.
        augmentation: flip mirrors clips left to right, each with probability one half.

    Source: paper 000, IV-A: Adam, its rate, its decay, read as Keras 2's (inverse_time), and early stopping.
    Patience, batch, seed, the most epochs and all else are ours: the paper does not say.
    """

    seed: int = 27
    batch: int = 8
    optimizer: Literal["adam", "rmsprop", "adagrad", "sgd"] = "adam"
    learning_rate: float = 1e-3
    decay: float = 5e-4
    lr_decay_kind: Literal["inverse_time", "weight_decay", "none"] = "inverse_time"
    epochs: int = 100
    patience: int = 10
    max_steps: int | None = None
    class_weights: bool = True
    mixed_precision: Literal["auto", "off"] = "auto"
    calibration: Literal["platt", "temperature", "none"] = "platt"
    normal_quantile: float = 0.95
    augmentation: Literal["none", "flip"] = "none"

    def __post_init__(self) -> None:
        floors = {"batch": 1, "epochs": 1, "patience": 1, "learning_rate": 0.0, "decay": 0.0}
        if self.max_steps is not None:
            floors["max_steps"] = 1
        for name, floor in floors.items():
            check_range(f"train.{name}", getattr(self, name), floor)
        check_range("train.seed", self.seed, 0, HIGHEST_SEED)
        check_range("train.normal_quantile", self.normal_quantile, 0, 1)


def settings_for(model_id: str, common: TrainSettings, own: Mapping[str, Any] | None) -> TrainSettings:
    """The common settings with what a model's own `train` section changes.

    Raises:
        UsageError: a key that is unknown, or a value that does not fit.
    """
    where = f"models.{model_id}.train"
    if own is not None and not isinstance(own, Mapping):
        return parse(TrainSettings, own, where)
    return parse(TrainSettings, {**to_dict(common), **(own or {})}, where)
