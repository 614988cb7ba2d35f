"""The paired difference against brute force, scipy and hand-made cases."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from components.core.errors import BadDataError
from components.evaluation.intervals import group_draws
from components.evaluation.paired import (
    Pair,
    holm,
    mcnemar_p,
    paired_difference,
    sign_flip_p,
    smallest_detectable,
)
from components.evaluation.settings import BootstrapSettings

SETTINGS = BootstrapSettings(samples=400, level=0.9, seed=1)


def pair_of(gains: list[int], groups: list[str]) -> Pair:
    """Two models with these gains: labels all 1; a gain of 0 means both are right."""
    values = np.array(gains)
    return Pair(
        labels=np.ones(len(gains), dtype=np.int64),
        first=(values >= 0).astype(np.int64),
        second=(values <= 0).astype(np.int64),
        groups=np.array(groups),
    )


def test_difference_and_bounds_equal_brute_force():
    generator = np.random.default_rng(0)
    gains = generator.integers(-1, 2, 30)
    groups = np.array([f"g{k}" for k in generator.integers(0, 5, 30)])
    found = paired_difference(pair_of(list(gains), list(groups)), SETTINGS)
    names = np.unique(groups)
    values = []
    for draw in group_draws(len(names), SETTINGS).astype(int):
        resampled = np.concatenate(
            [np.tile(gains[groups == name], times) for name, times in zip(names, draw, strict=True)]
        )
        values.append(resampled.mean())
    assert found.difference == pytest.approx(gains.mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, [0.05, 0.95])))
    assert (found.only_first_right, found.only_second_right) == ((gains > 0).sum(), (gains < 0).sum())
    assert (found.n, found.n_groups) == (30, 5)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_sign_flip_counts_all_patterns(totals):
    seen = abs(sum(totals))
    patterns = list(product((-1, 1), repeat=len(totals)))
    as_far = sum(abs(sum(s * t for s, t in zip(signs, totals, strict=True))) >= seen for signs in patterns)
    assert sign_flip_p(np.array(totals), seed=1) == pytest.approx(as_far / len(patterns))


def test_sign_flip_of_many_groups_is_drawn_and_near_the_exact_value():
    totals = np.array([1] * 14 + [-1] * 6)
    exact = binomtest(6, 20).pvalue
    drawn = sign_flip_p(totals, seed=1)
    assert drawn == pytest.approx(exact, abs=0.01)
    assert drawn == sign_flip_p(totals, seed=1)


@given(st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_mcnemar_is_the_binomial_test(wins, losses):
    expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert mcnemar_p(wins, losses) == pytest.approx(expected)


def test_one_film_says_less_than_many():
    apart = paired_difference(pair_of([1] * 8 + [0] * 8, [f"g{i}" for i in range(16)]), SETTINGS)
    together = paired_difference(pair_of([1] * 8 + [0] * 8, ["a"] * 8 + ["b"] * 8), SETTINGS)
    assert apart.p_mcnemar == together.p_mcnemar < 0.01
    assert apart.p_sign_flip < 0.01 < together.p_sign_flip == 1.0
    assert apart.smallest_detectable < together.smallest_detectable
    assert together.mcnemar_assumes == "independent clips"


def test_identical_models():
    found = paired_difference(pair_of([0] * 10, ["a"] * 5 + ["b"] * 5), SETTINGS)
    assert found.identical
    assert (found.difference, found.low, found.high, found.p_sign_flip, found.p_mcnemar) == (0, 0, 0, 1, 1)
    assert found.smallest_detectable > 0.1


def test_one_group_has_no_bounds():
    found = paired_difference(pair_of([1, 0, 1], ["a"] * 3), SETTINGS)
    assert found.low is found.high is found.smallest_detectable is None


def test_smallest_detectable_difference_is_found_four_times_in_five():
    """Draw test sets whose true difference is the one claimed: about 80 % of them must show it."""
    generator, n_groups, per_group = np.random.default_rng(2), 60, 4
    sizes = np.full(n_groups, per_group)

    def draw(difference: float) -> np.ndarray:
        chances = [0.1, 0.8 - difference, 0.1 + difference]
        return generator.choice([-1, 0, 1], size=(n_groups, per_group), p=chances).sum(axis=1)

    claimed = float(np.mean([smallest_detectable(draw(0.1), sizes, 0.9) for _ in range(20)]))
    found = 0
    for _ in range(300):
        totals = draw(claimed)
        error = np.sqrt(n_groups / (n_groups - 1) * ((totals - totals.mean()) ** 2).sum()) / sizes.sum()
        found += totals.sum() / sizes.sum() > 1.6449 * error
    assert 0.7 < found / 300 < 0.9


@pytest.mark.parametrize(
    ("raw", "adjusted"),
    [
        pytest.param([], [], id="nothing tested"),
        pytest.param([0.03], [0.03], id="one test"),
        pytest.param([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02], id="textbook"),
        pytest.param([0.5, 0.9], [1.0, 1.0], id="never above one"),
    ],
)
def test_holm(raw, adjusted):
    assert holm(raw) == pytest.approx(adjusted)


def test_other_clips_are_refused():
    with pytest.raises(BadDataError, match=r"of \[2, 3\] clips.*Wanted: the same clips"):
        Pair(np.zeros(3, dtype=int), np.zeros(3, dtype=int), np.zeros(2, dtype=int), np.array(["a"] * 3))
