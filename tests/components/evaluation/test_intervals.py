"""Wilson against the paper's figures, the group bootstrap against a loop over copies."""

import doctest

import numpy as np
import pytest

from components.evaluation import intervals
from components.evaluation.intervals import Interval, group_draws, group_intervals, percentile_bounds, wilson
from components.evaluation.metrics import Scored, measures
from components.evaluation.settings import BootstrapSettings

SETTINGS = BootstrapSettings(samples=300, level=0.9, seed=3)


def made(n: int, n_groups: int, seed: int = 0) -> Scored:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, n)
    positive = np.clip(generator.normal(0.35 + 0.3 * labels, 0.2), 0.01, 0.99)
    probabilities = np.stack([1 - positive, positive], axis=1)
    groups = np.array([f"film{g}" for g in generator.integers(0, n_groups, n)])
    return Scored(labels, probabilities.argmax(axis=1), probabilities, groups, ("a", "b"))


def all_right(groups: list[str]) -> Scored:
    labels = np.arange(len(groups)) % 2
    return Scored(labels, labels, np.eye(2)[labels], np.array(groups), ("a", "b"))


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        pytest.param(43, 48, 77.8, 95.5, id="paper, fusion"),
        pytest.param(36, 48, 61.2, 85.1, id="paper, without fusion"),
        pytest.param(0, 10, 0.0, 27.8, id="none right"),
        pytest.param(10, 10, 72.2, 100.0, id="all right"),
    ],
)
def test_wilson(right, n, low, high):
    found = wilson(right, n)
    assert (round(100 * found.low, 1), round(100 * found.high, 1)) == (low, high)


def test_examples_run():
    assert doctest.testmod(intervals).attempted == 2
    assert doctest.testmod(intervals).failed == 0


def test_wilson_of_nothing_is_none():
    assert wilson(0, 0) is None


def test_bootstrap_equals_a_loop_over_copied_clips():
    item = made(40, 6)
    names, group_of_clip = np.unique(item.groups, return_inverse=True)
    draws = group_draws(len(names), SETTINGS)
    by_hand = []
    for draw in draws.astype(int):
        clips = np.concatenate(
            [np.repeat(np.flatnonzero(group_of_clip == g), times) for g, times in enumerate(draw)]
        )
        copies = Scored(
            item.labels[clips],
            item.predicted[clips],
            item.probabilities[clips],
            item.groups[clips],
            item.classes,
        )
        by_hand.append({name: value[0] for name, value in measures(copies).items()})
    for name, interval in group_intervals(item, SETTINGS).items():
        low, high = np.nanquantile([values[name] for values in by_hand], [0.05, 0.95])
        assert interval == Interval(pytest.approx(low), pytest.approx(high), 0.9, "group bootstrap"), name


def test_draws_are_seeded_and_keep_the_number_of_groups():
    draws = group_draws(7, SETTINGS)
    assert draws.shape == (300, 7)
    assert (draws.sum(axis=1) == 7).all()
    assert np.array_equal(draws, group_draws(7, SETTINGS))
    assert not np.array_equal(draws, group_draws(7, BootstrapSettings(300, 0.9, seed=4)))


def test_blocks_do_not_change_the_interval(monkeypatch):
    item = made(40, 6)
    whole = group_intervals(item, SETTINGS)
    monkeypatch.setattr("components.evaluation.intervals._BLOCK", 40 * 7)
    assert group_intervals(item, SETTINGS) == whole


def test_clips_of_one_source_widen_the_interval():
    item = made(120, 120, seed=5)
    right = item.predicted == item.labels
    # Sorting puts equal outcomes into the same film: ten films that are all right or all wrong.
    films = np.empty(120, dtype="<U6")
    films[np.argsort(right, kind="stable")] = [f"film{i // 12}" for i in range(120)]
    clustered = Scored(item.labels, item.predicted, item.probabilities, films, item.classes)
    apart, together = (group_intervals(s, SETTINGS)["accuracy"] for s in (item, clustered))
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


@pytest.mark.parametrize(
    ("groups", "low"),
    [
        pytest.param(["a", "a", "b", "b", "c", "c"], wilson(3, 3, 0.9).low, id="three films all right"),
        pytest.param(["a"] * 6, wilson(1, 1, 0.9).low, id="one film"),
    ],
)
def test_agreement_of_all_resamples_is_no_certainty(groups, low):
    found = group_intervals(all_right(groups), SETTINGS)
    assert found["accuracy"] == Interval(pytest.approx(low), 1.0, 0.9, "wilson over groups")
    assert found["recall_a"].method == "wilson over groups"
    assert found["roc_auc"] is None


def test_no_clips_no_intervals():
    empty = made(4, 2).where(np.zeros(4, dtype=bool))
    assert set(group_intervals(empty, SETTINGS).values()) == {None}


def test_mostly_undefined_resamples_give_none():
    assert percentile_bounds(np.array([0.1, np.nan, np.nan]), 0.9) is None
    assert percentile_bounds(np.array([0.1, 0.1, np.nan]), 0.9) == (0.1, 0.1)
    assert percentile_bounds(np.array([]), 0.9) is None
