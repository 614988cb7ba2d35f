"""A small network with all that a checkpoint must hold: dropout, an optimizer with memory, a bottleneck."""

from dataclasses import dataclass

import numpy as np
import pytest

from components.models.base import InputShapes, KerasDefinition
from components.training.settings import TrainSettings
from components.training.task import Task

N, T, D = 40, 3, 6


@dataclass(frozen=True)
class TinySettings:
    units: int = 4


def build_tiny(settings, shapes, n_classes):
    import keras
    from keras import layers

    from components.models.blocks import classifier, numbers_input

    x = inputs = numbers_input(shapes.of(("numbers",))["numbers"])
    x = layers.Flatten(name="flat")(x)
    x = layers.Dropout(0.3, name="drop")(x)
    x = layers.Dense(settings.units, activation="relu", name="narrow")(x)
    return keras.Model(inputs, classifier(x, n_classes), name="tiny")


TINY = KerasDefinition(
    title="a tiny network",
    source="tests",
    kind="clips",
    streams=("numbers",),
    settings=TinySettings,
    paper_shapes=InputShapes(numbers=(T, D)),
    build=build_tiny,
    bottlenecks=("narrow",),
)


def tiny_task(seed=3, n_classes=2, **training):
    """Clips whose class shows in their numbers: 26 to learn from, 14 to validate on."""
    rng = np.random.default_rng(seed)
    labels = np.arange(N) % n_classes
    numbers = rng.normal(labels[:, None, None] * 0.8, 1.0, (N, T, D)).astype(np.float32)
    return Task(
        model_id="tiny",
        definition=TINY,
        settings=TinySettings(),
        training=TrainSettings(**{"epochs": 6, "batch": 8, "learning_rate": 0.05, **training}),
        classes=tuple(f"class_{k}" for k in range(n_classes)),
        streams={"numbers": numbers},
        train_rows=np.arange(26),
        val_rows=np.arange(26, N),
        labels=labels,
    )


@pytest.fixture
def task():
    return tiny_task()
