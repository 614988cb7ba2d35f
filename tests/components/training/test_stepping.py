"""One step, its schedule and its loss, against formulas written out in numpy."""

import gc
import os
import subprocess
import sys
import weakref
from dataclasses import replace

import keras
import numpy as np
import pytest

from components.core.errors import FinalError
from components.models.networks import logits_of
from components.models.registry import definition_of
from components.training.data import Batch
from components.training.dead_units import dead_fractions
from components.training.learn import learn
from components.training.loop import score
from components.training.observer import Unwatched
from components.training.settings import TrainSettings
from components.training.stepping import Stepper, build_optimizer, cross_entropy, learning_rate
from tests.components.training.conftest import tiny_task


def test_the_papers_schedule():
    """1e-3 / (1 + 5e-4 t) after t updates: paper 000, IV-A."""
    optimizer = build_optimizer(TrainSettings())
    weight = keras.Variable(1.0)
    optimizer.build([weight])
    for t in range(2001):
        if t in (0, 1, 7, 500, 2000):
            assert learning_rate(optimizer) == pytest.approx(1e-3 / (1 + 5e-4 * t), rel=1e-6)
        optimizer.iterations.assign_add(1)


def _linear(n_logits=1):
    x = keras.layers.Input((2,), name="numbers")
    layer = keras.layers.Dense(n_logits, name="logits", kernel_initializer="ones")
    return keras.Model(x, layer(x))


def test_a_step_takes_the_weighted_loss_of_its_batch():
    network = _linear()
    step = Stepper(network, build_optimizer(TrainSettings(learning_rate=0.0)))
    x = np.array([[1, 2], [-3, 1], [0, 0.5]], np.float32)
    labels, weights = np.array([1, 1, 0]), np.array([2.0, 0.5, 1.0], np.float32)
    z = x.sum(axis=1)
    losses = np.logaddexp(0, z) - labels * z
    for n in (3, 2, 1):
        loss, correct = step(Batch({"numbers": x[:n]}, labels[:n], weights[:n]))
        assert loss == pytest.approx((weights * losses)[:n].mean(), rel=1e-6)
        assert correct == ((z[:n] > 0) == labels[:n]).sum()


def _two_steps(gradients, optimizer):
    """How far a weight goes by each optimizer's formula, at a rate of 0.01."""
    m = v = moved = 0.0
    squares = 0.1  # with which Keras' Adagrad begins
    for t, g in enumerate(gradients, start=1):
        if optimizer == "sgd":
            m = 0.9 * m - 0.01 * g
            moved += m
        elif optimizer == "rmsprop":
            v = 0.9 * v + 0.1 * g**2
            moved -= 0.01 * g / np.sqrt(v)
        elif optimizer == "adagrad":
            squares += g**2
            moved -= 0.01 * g / np.sqrt(squares)
        else:
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            moved -= 0.01 * (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.999**t))
    return moved


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "adagrad", "sgd"])
def test_steps_are_those_of_the_optimizers_formula(optimizer):
    network = _linear()
    settings = TrainSettings(optimizer=optimizer, learning_rate=0.01, lr_decay_kind="none")
    step, gradients = Stepper(network, build_optimizer(settings)), []
    for _ in range(2):
        weight, bias = network.get_weights()
        gradients.append(1 / (1 + np.exp(-(weight.sum() + bias[0]))))  # of label 0 and inputs of 1
        step(Batch({"numbers": np.ones((4, 2), np.float32)}, np.zeros(4, int), np.ones(4, np.float32)))
    wanted = 1 + _two_steps(gradients, optimizer)
    np.testing.assert_allclose(network.get_weights()[0], wanted, rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "adagrad", "sgd"])
def test_every_optimizer_has_the_decay(optimizer):
    slowing = build_optimizer(TrainSettings(optimizer=optimizer, learning_rate=0.1, decay=1.0))
    slowing.build([keras.Variable(1.0)])
    slowing.iterations.assign_add(1)
    assert learning_rate(slowing) == pytest.approx(0.05)
    given = TrainSettings(optimizer=optimizer, learning_rate=0.1, decay=0.5, lr_decay_kind="weight_decay")
    weight = keras.Variable(1.0)
    shrinking = build_optimizer(given)
    shrinking.build([weight])
    shrinking.apply([np.zeros((), np.float32)], [weight])
    assert float(weight) == pytest.approx(1 - 0.1 * 0.5)


@pytest.mark.parametrize("k", [1, 3])
def test_loss_and_score_agree(k):
    rng = np.random.default_rng(27)
    logits = rng.normal(0, 4, (50, k)).astype(np.float32)
    labels = rng.integers(0, max(2, k), 50)
    loss, accuracy = score(logits, labels)
    assert loss == pytest.approx(float(np.mean(cross_entropy(labels, logits))), rel=1e-5)
    chosen = logits.argmax(axis=1) if k > 1 else (logits[:, 0] > 0)
    assert accuracy == (chosen == labels).mean()


def test_dead_units_are_counted(caplog):
    from components.training.data import clips_of

    x = keras.layers.Input((2,), name="numbers")
    narrow = keras.layers.Dense(4, activation="relu", name="narrow")
    network = keras.Model(x, keras.layers.Dense(1, name="logits")(narrow(x)), name="net")
    narrow.set_weights([np.array([[1, -1, -1, 0.0], [1, -1, 1, 0]]), np.array([0, 0, 0, 5.0])])
    values = np.array([[1, 1], [2, 3], [0.5, 2]], np.float32)  # units: alive, never on, alive, always 5
    samples = clips_of({"numbers": values}, np.arange(3), np.zeros(3, int), np.ones(2))
    assert dead_fractions(network, ("narrow",), samples, 2) == {"narrow": 0.5}
    assert "50 % of the units of narrow are dead" in caplog.text
    assert dead_fractions(network, (), samples, 2) == {}


@pytest.mark.parametrize("parts", [2, 3, 16])
def test_parts_add_up_to_the_whole_batch(parts):
    rng = np.random.default_rng(27)
    samples = [
        Batch(
            {"numbers": rng.normal(0, 1, (8, 2)).astype(np.float32)},
            rng.integers(0, 2, 8),
            rng.uniform(0.5, 2, 8).astype(np.float32),
        )
        for _ in range(4)
    ]
    learned = {}
    for n in (1, parts):
        network = _linear()
        step = Stepper(network, build_optimizer(TrainSettings(learning_rate=0.05)))
        step.parts = n
        learned[n] = [step(batch) for batch in samples], network.get_weights()
    (losses, weights), (losses_in_parts, weights_in_parts) = learned[1], learned[parts]
    np.testing.assert_allclose(losses_in_parts, losses, rtol=1e-5)
    for in_parts, whole in zip(weights_in_parts, weights, strict=True):
        np.testing.assert_allclose(in_parts, whole, rtol=1e-5)


def test_a_batch_that_its_loss_needs_whole_is_not_divided(monkeypatch):
    """In parts of one sample ranking compares nothing, so it would cost nothing and teach nothing."""
    ranking, task = definition_of("mil_ranking"), tiny_task()
    assert ranking.loss_needs_batch
    settings = ranking.settings(weights="none")
    own = {
        "loss": lambda _, *given: ranking.loss(settings, *given),
        "loss_needs_batch": ranking.loss_needs_batch,
    }
    monkeypatch.setattr(Stepper, "_whole", _no_memory)
    with pytest.raises(FinalError, match=r"A batch of 8 .* compares the samples.*train\.batch"):
        learn(replace(task, definition=replace(task.definition, **own)), None, Unwatched())


def _no_memory(step, batch):
    raise MemoryError


SHORT_OF_MEMORY = """
import logging, resource, sys
import keras, numpy as np
from pathlib import Path
from components.models.networks import logits_of
from components.training.data import Batch
from components.training.settings import TrainSettings
from components.training.stepping import Stepper, build_optimizer

def stepper(sample_mib):
    x = keras.layers.Input((2,), name="numbers")
    wide = keras.layers.RepeatVector(sample_mib << 17)(x)
    out = keras.layers.Dense(1)(keras.layers.GlobalAveragePooling1D()(wide))
    return Stepper(keras.Model(x, out, name="wide"), build_optimizer(TrainSettings()))

def batch(n):
    return Batch({"numbers": np.ones((n, 2), np.float32)}, np.zeros(n, int), np.ones(n, np.float32))

stepper(1)(batch(1))
step = stepper(int(sys.argv[2]))
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (int(sys.argv[1]) << 20),) * 2)
logging.basicConfig()
step(batch(16))
print(step.parts)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sample_mib", "code", "said"),
    [
        pytest.param(32, 0, "of 16 does not fit into memory and is learned from in 2 parts", id="half"),
        pytest.param(512, 1, "FinalError: A single sample of wide does not fit", id="not even one"),
    ],
)
def test_too_little_memory(sample_mib, code, said, project_root):
    done = subprocess.run(
        [sys.executable, "-c", SHORT_OF_MEMORY, "320", str(sample_mib)],
        env={**os.environ, "PYTHONPATH": str(project_root)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_the_networks_of_many_folds_are_no_retracing(caplog):
    for _ in range(6):
        network = _linear()
        x = np.ones((2, 2), np.float32)
        Stepper(network, build_optimizer(TrainSettings()))(Batch({"numbers": x}, np.zeros(2, int), x[0]))
        logits_of(network)({"numbers": x})
    assert "retracing" not in caplog.text


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "adagrad", "sgd"])
def test_nothing_of_a_trained_network_stays(optimizer):
    network = _linear()
    stepper = Stepper(network, build_optimizer(TrainSettings(optimizer=optimizer)))
    x = np.ones((2, 2), np.float32)
    stepper(Batch({"numbers": x}, np.zeros(2, int), x[0]))
    left = [weakref.ref(network), weakref.ref(stepper._descend_traced.graph)]
    del network, stepper
    keras.backend.clear_session()
    gc.collect()
    assert [thing() for thing in left] == [None, None]
