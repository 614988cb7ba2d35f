"""Permutation importance, of models whose use of their inputs is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from components.evaluation.importance import permutation_importance

CLASSES = ("walking", "following")
N, T, D = 40, 3, 4
LABELS = np.arange(N) % 2
GROUPS = {"first": [0], "second": [1], "rest": [2, 3], "first two": slice(0, 2)}


def values() -> np.ndarray:
    """Columns 0 and 1 tell the label alike, the others nothing."""
    found = np.random.default_rng(3).normal(size=(N, T, D))
    found[..., :2] = np.where(LABELS, 1.0, -1.0)[:, None, None]
    return found


def looks_at(*columns: int):
    """A model that calls a clip by the sum of some columns."""

    def ask(given: np.ndarray) -> SimpleNamespace:
        positive = 1 / (1 + np.exp(-given[:, :, list(columns)].sum(axis=(1, 2))))
        share = np.stack([1 - positive, positive], axis=1)
        return SimpleNamespace(predicted=share.argmax(axis=1), clip=share, scores=None)

    return ask


def importance_of(ask, **changes):
    settings = {"repeats": 10, "seed": 5} | changes
    return permutation_importance(ask, values(), GROUPS, LABELS, CLASSES, **settings)


@pytest.mark.parametrize(
    ("columns", "matter"),
    [
        pytest.param((0,), {"first", "first two"}, id="one column"),
        pytest.param((1,), {"second", "first two"}, id="another column"),
        pytest.param((2,), {"rest"}, id="a column that tells nothing"),
    ],
)
def test_only_what_a_model_looks_at_matters(columns, matter):
    found = importance_of(looks_at(*columns))
    changed = {name for name, drop in found.drops.items() if drop["roc_auc"].spread > 0}
    assert changed == matter
    for name in GROUPS.keys() - matter:
        assert (found.drops[name]["accuracy"].mean, found.drops[name]["roc_auc"].mean) == (0.0, 0.0)


def test_what_is_exchanged_is_worth_what_it_gave():
    found = importance_of(looks_at(0), repeats=200)
    assert found.whole == {"accuracy": 1.0, "roc_auc": 1.0}
    assert found.drops["first"]["accuracy"].mean == pytest.approx(0.5, abs=0.03), "half is right by chance"
    assert found.drops["first"]["accuracy"].spread == pytest.approx(np.sqrt(0.25 / N), rel=0.2)
    assert found.n == N


def test_frames_and_columns_of_a_clip_stay_together():
    seen = []

    def ask(given):
        seen.append(given)
        return looks_at(0)(given)

    permutation_importance(ask, values(), {"rest": [2, 3]}, LABELS, CLASSES, repeats=1, seed=5)
    whole, exchanged = seen
    clips = {clip[:, 2:].tobytes() for clip in whole}
    assert {clip[:, 2:].tobytes() for clip in exchanged} == clips
    np.testing.assert_array_equal(exchanged[..., :2], whole[..., :2])
    assert not np.array_equal(exchanged, whole)


def test_the_seed_decides_and_the_values_stay():
    given = values()
    one, same, other = (importance_of(looks_at(0), seed=seed).drops for seed in (1, 1, 2))
    assert one == same != other
    np.testing.assert_array_equal(given, values())


def test_scores_of_anomalies_are_judged_too():
    def ask(given):
        said = looks_at(0)(given)
        nothing = np.full((N, 2), np.nan)
        return SimpleNamespace(predicted=said.predicted, clip=nothing, scores=given[:, :, 0].sum(axis=1))

    found = importance_of(ask)
    assert found.drops["first"]["roc_auc"].mean > 0.3
    assert found.drops["rest"]["roc_auc"].mean == 0.0
