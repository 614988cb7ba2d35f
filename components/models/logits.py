"""Logits and probabilities: one sigmoid neuron for two classes, a softmax for more.

Networks end in logits, because sigmoid and loss taken together do not overflow; the sigmoid is applied here.
"""

import numpy as np

SMALLEST = 1e-12


def n_logits(n_classes: int) -> int:
    """Neurons of the last layer."""
    return 1 if n_classes == 2 else n_classes


def to_probabilities(logits: np.ndarray) -> np.ndarray:
    """Probabilities (..., K) float64 of logits (..., 1), read as the second class of two, or (..., K)."""
    values = np.asarray(logits, np.float64)
    if values.shape[-1] == 1:
        positive = sigmoid(values)
        return np.concatenate([1.0 - positive, positive], axis=-1)
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def cross_entropies(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Loss (M,) of logits (M, 1 or K) under labels (M,)."""
    values = np.asarray(logits, np.float64)
    full = np.concatenate([np.zeros_like(values), values], axis=-1) if values.shape[-1] == 1 else values
    top = full.max(axis=-1)
    losses: np.ndarray = np.log(np.exp(full - top[:, None]).sum(axis=-1)) + top
    return losses - full[np.arange(len(labels)), labels]


def decide(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Class index (N,) of probabilities (N, K): of two the second from `threshold`, of more the likeliest."""
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] >= threshold).astype(np.int64)
    return probabilities.argmax(axis=1)


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Log odds (N,) of the second of two classes, from probabilities (N, 2)."""
    positive = np.clip(probabilities[..., 1], SMALLEST, 1.0 - SMALLEST)
    odds: np.ndarray = np.log(positive) - np.log1p(-positive)
    return odds


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0 / (1.0 + small), small / (1.0 + small))
