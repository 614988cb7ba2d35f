import numpy as np
import pytest

from components.models.calibration import Calibration
from components.models.logits import log_odds, n_logits, sigmoid, to_probabilities


@pytest.mark.parametrize(("classes", "neurons"), [(2, 1), (3, 3), (14, 14)])
def test_one_neuron_for_two_classes(classes, neurons):
    assert n_logits(classes) == neurons


def test_one_logit_is_a_sigmoid_without_overflow():
    with np.errstate(all="raise"):
        said = to_probabilities(np.array([[-700.0], [0.0], [700.0]]))
    np.testing.assert_allclose(said[:, 1], [0.0, 0.5, 1.0], atol=1e-300)


def test_more_logits_are_a_softmax():
    logits = np.array([[1.0, 2.0, 3.0], [1000.0, 1000.0, 0.0]])
    np.testing.assert_allclose(to_probabilities(logits)[0], np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum())
    np.testing.assert_allclose(to_probabilities(logits)[1], [0.5, 0.5, 0.0])


def test_log_odds_undo_the_sigmoid():
    logits = np.linspace(-20, 20, 9)
    np.testing.assert_allclose(log_odds(to_probabilities(logits[:, None])), logits, rtol=1e-6)
    assert np.isfinite(log_odds(np.array([[1.0, 0.0], [0.0, 1.0]]))).all()


@pytest.mark.parametrize(
    "calibration",
    [
        pytest.param(Calibration(), id="identity"),
        pytest.param(Calibration("platt", 0.3, 2.0), id="platt"),
    ],
)
def test_calibration_keeps_the_order(calibration):
    raw = to_probabilities(np.linspace(-5, 5, 11)[:, None])
    said = calibration.apply(raw)
    assert (np.diff(said[:, 1]) > 0).all()
    np.testing.assert_allclose(said.sum(axis=1), 1.0)


def test_temperature_keeps_the_best_class():
    raw = to_probabilities(np.random.default_rng(27).normal(size=(20, 4)))
    said = Calibration("temperature", 3.0).apply(raw)
    assert (said.argmax(axis=1) == raw.argmax(axis=1)).all()
    np.testing.assert_allclose(said, raw**3 / (raw**3).sum(axis=1, keepdims=True))


def test_sigmoid_of_both_signs_adds_to_one():
    x = np.linspace(-40, 40, 17)
    np.testing.assert_allclose(sigmoid(x) + sigmoid(-x), 1.0)
