"""Every picture is a PNG of the right size, drawn twice alike, and leaves pyplot alone."""

import struct
import sys

import numpy as np
import pytest

from components.evaluation import plots
from components.evaluation.curves import pr_curve, reliability, roc_curve

CLASSES = ("non_stalking", "stalking")
LABELS = np.random.default_rng(0).integers(0, 2, 60)
SCORES = np.clip(np.random.default_rng(1).normal(0.35 + 0.3 * LABELS, 0.2), 0.01, 0.99)
HISTORY = {
    "epoch": list(range(1, 13)),
    "accuracy": [0.5 + 0.03 * e for e in range(12)],
    "val_accuracy": [0.5 + 0.02 * e for e in range(12)],
    "loss": [0.7 - 0.04 * e for e in range(12)],
    "val_loss": [0.7 - 0.02 * e for e in range(12)],
}
BARS = [
    plots.Bar("fusion", 0.854, 0.74, 0.93, "ours"),
    plots.Bar("convlstm", 0.771, 0.63, 0.88, "ours"),
    plots.Bar("majority", 0.5, 0.36, 0.64, "baseline"),
    plots.Bar("CNN-LSTM-MLP", 0.8958, 0.778, 0.955, "paper"),
    plots.Bar("CNN", 0.68, None, None, "paper"),
]

PICTURES = {
    "confusion": lambda: plots.confusion_png(np.array([[20, 1], [4, 23]]), CLASSES, "fusion, 48 test clips"),
    "confusion4": lambda: plots.confusion_png(
        np.diag([5, 6, 7, 0]) + 1, ("arson", "burglary", "fighting", "normal"), "Four classes"
    ),
    "roc": lambda: plots.roc_png(
        {"stalking": (roc_curve(LABELS == 1, SCORES), 0.85)}, "fusion, 60 test clips"
    ),
    "pr": lambda: plots.pr_png(
        {"stalking": (pr_curve(LABELS == 1, SCORES), 0.84)}, 0.5, "fusion, 60 test clips"
    ),
    "reliability": lambda: plots.reliability_png(
        reliability(SCORES, LABELS == 1), 0.11, "fusion, 60 test clips"
    ),
    "history": lambda: plots.history_png(HISTORY, 9, "fusion"),
    "models": lambda: plots.models_png(BARS, "accuracy", "Test accuracy"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name):
    content = PICTURES[name]()
    width, height = struct.unpack(">II", content[16:24])
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert width > 300
    assert height > 250
    assert content == PICTURES[name]()


def test_undefined_parts_are_left_out():
    assert plots.roc_png({}, "one class only")
    assert plots.reliability_png([], None, "no clips")
    assert plots.history_png({"epoch": [1], "loss": [0.7]}, None, "one epoch")


def test_pyplot_is_not_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    assert PICTURES["confusion"]()
