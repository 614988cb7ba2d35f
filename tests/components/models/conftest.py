"""Small trained bundles of every registered model, made once."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from components.core.files import file_sha256
from components.features.activation_layout import NUMBERS
from components.features.scaler import Scaler
from components.features.views import View
from components.models.bundle import Bundle, write_bundle
from components.models.registry import definition_of
from components.training.bundling import calibrate, describe
from components.training.learn import Learned, learn
from components.training.observer import Unwatched
from components.training.settings import TrainSettings
from components.training.task import Task

N, T, SIDE = 12, 3, 48
SIDES = (32, SIDE, 64, 75)
VIEW = View(sampling="three", height=SIDE, width=SIDE, background="keep", numbers=True)


@dataclass(frozen=True)
class Trained:
    """A model that learned for two steps.

    Attributes:
        bundle: as it was written.
        folder: where.
    """

    bundle: Bundle
    folder: Path
    task: Task
    learned: Learned


@dataclass(frozen=True)
class Clips:
    """Twelve clips: label 1 is brighter and has larger numbers; a face is missing here and there."""

    frames: np.ndarray
    numbers: np.ndarray
    labels: np.ndarray
    activations: np.ndarray


def make_clips(n=N, t=T, side=SIDE, n_classes=2, seed=27):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    frames = (
        rng.integers(0, 120, (n, t, side, side, 3)) + 100 * labels[:, None, None, None, None] // n_classes
    )
    numbers = rng.normal(500 + 40 * labels[:, None, None], 30, (n, t, 29)).astype(np.float32)
    numbers[::4, :, 3] = np.nan
    activations = rng.normal(labels[:, None] / 2, 1, (n, NUMBERS)).astype(np.float32)
    return Clips(frames.astype(np.uint8), numbers, labels, activations)


def make_task(model_id, clips, settings, training, n_classes=2):
    numbers = np.nan_to_num((clips.numbers - 500) / 40).astype(np.float32)
    half = len(clips.labels) * 2 // 3
    definition = definition_of(model_id)
    streams = {"frames": clips.frames, "numbers": numbers, "activations": clips.activations}
    return Task(
        model_id=model_id,
        definition=definition,
        settings=settings,
        training=training,
        classes=tuple(f"class_{k}" for k in range(n_classes)),
        streams={name: streams[name] for name in definition.streams},
        train_rows=np.arange(half),
        val_rows=np.arange(half, len(clips.labels)),
        labels=clips.labels,
    )


def small_settings(model_id):
    settings = definition_of(model_id).settings
    small = {"weights": "none", "min_count": 1, "threshold": 0.0}
    return settings(**{name: value for name, value in small.items() if hasattr(settings(), name)})


def pinned(path):
    """Settings that ask for this file of weights, if it is one, and no other."""
    file = Path(path)
    return {"weights": str(path), **({"weights_sha256": file_sha256(file)} if file.is_file() else {})}


def clips_for(model_id):
    """The clips at the smallest size that all models with so small frames share."""
    side = getattr(small_settings(model_id), "min_side", SIDE)
    return _clips_of_side(next(shared for shared in SIDES if shared >= side))


@cache
def _clips_of_side(side):
    return make_clips(side=side)


@pytest.fixture
def clips(name):
    """The clips of the model that a test is about."""
    return clips_for(name)


class Bundles(dict):
    """Registered models by id, each trained for two steps and written when it is first asked for."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def __missing__(self, model_id):
        self[model_id] = _train(model_id, clips_for(model_id), self.folder / model_id)
        return self[model_id]


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    return Bundles(tmp_path_factory.mktemp("bundles"))


def _train(model_id, clips, folder):
    training = TrainSettings(batch=4, epochs=2, max_steps=2)
    task = make_task(model_id, clips, small_settings(model_id), training)
    learned = learn(task, None, Unwatched())
    scaler = (
        Scaler(np.full(29, 500.0), np.full(29, 40.0), np.full(29, 36)) if "numbers" in task.streams else None
    )
    info = describe(
        task,
        learned,
        view_name="small",
        view=VIEW,
        chain={"segment": {}},
        scaler=scaler,
        digests={"data": "d"},
    )
    info = calibrate(info, task, learned, clips.frames, clips.numbers, clips.activations)
    return Trained(write_bundle(folder, info, learned.arrays), folder, task, learned)
