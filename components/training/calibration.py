"""Fitting of calibration on the validation side, by Newton's method.

Source: Platt 1999 in the form of Lin, Lin and Weng 2007 (smoothed targets); Guo et al. 2017 (temperature).
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from components.models.calibration import Calibration
from components.models.logits import SMALLEST, log_odds, sigmoid, to_probabilities

ROUNDS = 100
ENOUGH = 1e-9
STEEPEST = 100.0  # a steeper line says only that few clips were told apart without a mistake


def fit_calibration(
    raw: np.ndarray, labels: np.ndarray, kind: Literal["platt", "temperature"] = "platt"
) -> Calibration:
    """Learn the correction of probabilities.

    Args:
        raw: (N, K) probabilities of the validation clips.
        labels: (N,) class index.
        kind: of two classes; more have a temperature.

    Returns:
        The identity, with its reason, where it does not fit.
    """
    n, k = raw.shape
    if len(np.unique(labels)) < min(2, k):
        return Calibration(n=n, reason="fewer than two classes among the validation clips")
    if not np.isfinite(raw).all() or np.ptp(raw, axis=0).max(initial=0.0) < SMALLEST:
        return Calibration(n=n, reason="the model says the same of every validation clip")
    if k == 2 and kind == "platt":
        return _fit_platt(log_odds(raw), labels)
    return _fit_temperature(raw, labels)


def _fit_platt(odds: np.ndarray, labels: np.ndarray) -> Calibration:
    """Slope and intercept that minimise the cross-entropy under smoothed targets."""
    n, positives = len(labels), int(labels.sum())
    high, low = (positives + 1) / (positives + 2), 1 / (n - positives + 2)
    targets = np.where(labels == 1, high, low)
    line = np.array([1.0, 0.0])
    rows = np.stack([odds, np.ones(n)], axis=1)
    for _ in range(ROUNDS):
        p = sigmoid(rows @ line)
        gradient = rows.T @ (p - targets)
        hessian = (rows * (p * (1 - p))[:, None]).T @ rows + SMALLEST * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        line = _descend(line, step, gradient, lambda at: _platt_loss(rows @ at, targets))
        if np.abs(gradient).max() < ENOUGH * n:
            break
    slope, intercept = (float(value) for value in line)
    if not np.isfinite(line).all() or not 0 < slope <= STEEPEST:
        return Calibration(
            n=n, reason=f"the fitted slope {slope:.3g} would turn the order round or is no line"
        )
    return Calibration("platt", slope, intercept, n)


def _fit_temperature(raw: np.ndarray, labels: np.ndarray) -> Calibration:
    """The factor of the log probabilities, on a log scale so that it stays positive."""
    logs, rows = np.log(np.maximum(raw, SMALLEST)), np.arange(len(labels))
    at = np.zeros(1)

    def loss(log_slope: np.ndarray) -> float:
        scaled = to_probabilities(np.exp(log_slope[0]) * logs)
        return float(-np.log(np.maximum(scaled[rows, labels], SMALLEST)).sum())

    for _ in range(ROUNDS):
        slope = np.exp(at[0])
        p = to_probabilities(slope * logs)
        mean = (p * logs).sum(axis=1)
        gradient = slope * np.sum(mean - logs[rows, labels])
        curvature = slope**2 * np.sum((p * logs**2).sum(axis=1) - mean**2) + abs(gradient) + SMALLEST
        at = _descend(at, np.array([gradient / curvature]), np.array([gradient]), loss)
        if abs(gradient) < ENOUGH * len(labels):
            break
    slope = float(np.exp(at[0]))
    if not 1 / STEEPEST <= slope <= STEEPEST:
        return Calibration(n=len(labels), reason=f"the fitted slope {slope:.3g} is no temperature")
    return Calibration("temperature", slope, 0.0, len(labels))


def _descend(
    at: np.ndarray, step: np.ndarray, gradient: np.ndarray, loss: Callable[[np.ndarray], float]
) -> np.ndarray:
    """One Newton step, halved until the loss falls; where it stands if it never does."""
    before = loss(at)
    share = 1.0
    while share > 1e-10:
        there: np.ndarray = at - share * step
        if loss(there) <= before - 1e-4 * share * float(gradient @ step):
            return there
        share /= 2
    return at


def _platt_loss(odds: np.ndarray, targets: np.ndarray) -> float:
    return float((np.logaddexp(0.0, odds) - targets * odds).sum())
