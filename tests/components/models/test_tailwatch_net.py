"""tailwatch_net: a line for each network, its penalty chosen over source groups."""

from dataclasses import replace

import numpy as np
import pytest

from components.core.errors import UsageError
from components.features.activation_layout import NUMBERS, blocks
from components.models import tailwatch_net
from components.models.base import TrainSide
from components.models.tailwatch_net import TailwatchNetSettings, fit, logits

SETTINGS = TailwatchNetSettings(components=20)
N = 24


def side(n_classes=2, told=1.0, seed=3) -> TrainSide:
    """Clips of eight sources; a few of the numbers tell the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(N) % n_classes
    values = rng.normal(0, 1, (N, NUMBERS)).astype(np.float32)
    values[:, ::40] += told * 3 * labels[:, None]
    groups = np.array([f"film-{i // 3}" for i in range(N)])
    return TrainSide({"activations": values}, labels, np.ones(N), n_classes, groups)


def test_it_learns_what_tells_the_classes_apart():
    given, other = side(), side(seed=4)
    arrays = fit(SETTINGS, given)
    said = logits(arrays, other.inputs, N)
    assert said.shape == (N, 1)
    assert ((said[:, 0] > 0) == (other.labels == 1)).all()
    assert sum(array.size for array in arrays.values()) == tailwatch_net.MODEL.parameters


def test_the_answer_is_the_mean_over_windows_and_networks():
    given = side()
    arrays = fit(SETTINGS, given)
    expected = []
    for k, block in enumerate(blocks(np.asarray(given.inputs["activations"], np.float64))):
        line = {name: arrays[f"network_{k}/{name}"] for name in ("mean", "scale", "kernel", "bias")}
        rows = np.clip((block - line["mean"]) / line["scale"], -6, 6) / np.sqrt(block.shape[2])
        expected.append((rows @ line["kernel"] + line["bias"]).mean(axis=1))
    np.testing.assert_allclose(logits(arrays, given.inputs, N), np.mean(expected, axis=0), rtol=1e-9)


def test_three_classes_have_three_logits():
    given = side(n_classes=3)
    said = logits(fit(SETTINGS, given), given.inputs, N)
    assert said.shape == (N, 3)
    assert (said.argmax(axis=1) == given.labels).all()


def test_one_clip_moved_out_of_range_says_no_more_than_the_range(monkeypatch):
    given = side()
    arrays = fit(SETTINGS, given)
    wild = {"activations": np.full((1, NUMBERS), 1e9, np.float32)}
    wilder = {"activations": np.full((1, NUMBERS), 1e12, np.float32)}
    np.testing.assert_array_equal(logits(arrays, wild, 1), logits(arrays, wilder, 1))


def test_inner_folds_divide_no_source():
    given = side()
    folds = list(tailwatch_net._inner_folds(SETTINGS, given))
    assert len(folds) == 4
    for learn, ask in folds:
        assert not set(given.groups[learn]) & set(given.groups[ask])


def test_with_too_few_sources_the_middle_strength_is_taken(monkeypatch):
    given = replace(side(), groups=np.full(N, "one film"))
    asked = []
    real = tailwatch_net._fit_rows
    monkeypatch.setattr(tailwatch_net, "_fit_rows", lambda *all_: asked.append(all_[-1]) or real(*all_))
    fit(SETTINGS, given)
    assert asked == [3.0, 3.0]


@pytest.mark.parametrize(
    "wrong", [{"strengths": ()}, {"strengths": (0.0,)}, {"components": 0}, {"inner_folds": 1}]
)
def test_settings_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(UsageError, match=r"models\.tailwatch_net"):
        TailwatchNetSettings(**wrong)


@pytest.mark.parametrize("width", [25, 200], ids=["more rows than numbers", "fewer"])
def test_rows_are_turned_into_their_principal_directions(width):
    block = np.random.default_rng(0).normal(size=(20, 3, width))
    reduced = tailwatch_net._reduce(TailwatchNetSettings(components=10), block)
    standard = tailwatch_net._standard(block.reshape(60, width), reduced.mean, reduced.scale)
    lengths = np.linalg.svd(standard, compute_uv=False)[:10]
    np.testing.assert_allclose(np.linalg.norm(reduced.rows, axis=0), lengths, rtol=1e-9)
    np.testing.assert_allclose(standard @ reduced.basis, reduced.rows, atol=1e-9)
