"""Calibration against a second, slower way to the optimum, and on the clips that cannot tell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

from components.models.logits import sigmoid, to_probabilities
from components.training.calibration import fit_calibration


def _two(odds):
    return to_probabilities(np.asarray(odds, float)[:, None])


def test_platt_finds_the_line_that_was_drawn():
    rng = np.random.default_rng(27)
    odds = rng.normal(0, 3, 5000)
    labels = (rng.random(5000) < sigmoid(0.5 * odds - 1.0)).astype(int)
    found = fit_calibration(_two(odds), labels)
    assert found.kind == "platt"
    assert found.slope == pytest.approx(0.5, abs=0.05)
    assert found.intercept == pytest.approx(-1.0, abs=0.1)
    assert found.n == 5000


def test_platt_is_the_minimum_of_its_loss():
    rng = np.random.default_rng(3)
    odds = rng.normal(0, 2, 40)
    labels = (odds + rng.normal(0, 2, 40) > 0).astype(int)
    targets = np.where(labels == 1, (labels.sum() + 1) / (labels.sum() + 2), 1 / (40 - labels.sum() + 2))

    def loss(line):
        p = sigmoid(line[0] * odds + line[1])
        return -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).sum()

    wanted = minimize(loss, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).x
    found = fit_calibration(_two(odds), labels)
    assert [found.slope, found.intercept] == pytest.approx(wanted, abs=1e-4)


def test_temperature_is_the_minimum_of_its_loss():
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 1, (200, 4))
    labels = np.array([rng.choice(4, p=row) for row in to_probabilities(logits)])
    raw = to_probabilities(3 * logits)

    def loss(slope):
        return -np.log(to_probabilities(slope * np.log(raw))[np.arange(200), labels]).mean()

    found = fit_calibration(raw, labels)
    assert found.kind == "temperature"
    assert found.slope == pytest.approx(
        minimize_scalar(loss, bounds=(0.01, 10), method="bounded").x, rel=1e-3
    )
    assert found.slope == pytest.approx(1 / 3, rel=0.25)


@pytest.mark.parametrize(
    ("odds", "labels", "reason"),
    [
        pytest.param([], [], "fewer than two classes", id="no clips"),
        pytest.param([1.0], [1], "fewer than two classes", id="one clip"),
        pytest.param([1.0, 2.0], [1, 1], "fewer than two classes", id="one class"),
        pytest.param([0.3, 0.3, 0.3], [0, 1, 1], "same of every", id="constant"),
        pytest.param([np.nan, 0.3], [0, 1], "same of every", id="not a number"),
        pytest.param([2.0, 1.0, -1.0, -2.0], [0, 0, 1, 1], "turn the order round", id="the wrong way round"),
    ],
)
def test_clips_that_cannot_tell_leave_probabilities_alone(odds, labels, reason):
    raw = _two(odds)
    found = fit_calibration(raw, np.array(labels, int))
    assert found.kind == "identity"
    assert reason in found.reason
    assert found.apply(raw) is raw


def test_two_clips_told_apart_do_not_become_certain():
    found = fit_calibration(_two([-30.0, 30.0]), np.array([0, 1]))
    said = found.apply(_two([-30.0, 30.0]))[:, 1]
    assert said == pytest.approx([1 / 3, 2 / 3], abs=1e-3)


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 30), st.integers(2, 5), st.floats(0.1, 30), st.integers(0, 10**6))
def test_any_clips_give_finite_probabilities_that_add_to_one(n, k, spread, seed):
    rng = np.random.default_rng(seed)
    raw = to_probabilities(rng.normal(0, spread, (n, k if k > 2 else 1)))
    said = fit_calibration(raw, rng.integers(0, raw.shape[1], n)).apply(raw)
    assert np.isfinite(said).all()
    np.testing.assert_allclose(said.sum(axis=1), 1.0, atol=1e-9)


def test_a_temperature_moves_no_threshold_between_two_classes():
    rng = np.random.default_rng(8)
    odds = rng.normal(1.5, 2, 60)
    labels = (odds + rng.normal(0, 2, 60) > 2.5).astype(int)
    raw = _two(odds)
    told = fit_calibration(raw, labels, "temperature").apply(raw)
    assert np.array_equal(told.argmax(axis=1), raw.argmax(axis=1))
    assert not np.allclose(told, raw)
    moved = fit_calibration(raw, labels, "platt").apply(raw)
    assert not np.array_equal(moved.argmax(axis=1), raw.argmax(axis=1)), "which platt does"
