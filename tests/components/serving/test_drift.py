"""The profile of a column, and what counts as drift from it."""

import json
import math

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.serving.drift import Column, compare, describe, from_dict, psi, to_dict

RNG = np.random.default_rng(27)
THEN = RNG.normal(0.0, 1.0, 400)
PROFILE = {"x": describe(THEN)}


def verdict(values, floor=50, limit=0.25, profile=PROFILE):
    (found,) = compare(profile, {"x": np.asarray(values, float)}, floor=floor, limit=limit)
    return found


def test_the_index_by_hand():
    then, now = (9.5, 29.5), (19.5, 19.5)  # half a count is added to each: shares 1/4, 3/4 and 1/2, 1/2
    by_hand = 0.25 * math.log(2) + (-0.25) * math.log(2 / 3)
    assert psi(then, now) == pytest.approx(by_hand)


def test_equal_shares_have_no_index():
    assert psi((10, 20, 30), (10, 20, 30)) == 0.0


def test_bins_hold_about_equally_many():
    column = PROFILE["x"]
    assert len(column.counts) == 10
    assert column.n == 400
    assert max(column.counts) - min(column.counts) <= 2


def test_few_clips_make_few_bins():
    assert len(describe(THEN[:33]).counts) == 3
    assert len(describe(THEN[:5]).counts) == 2


def test_a_value_on_an_edge_counts_to_the_bin_above():
    assert describe([1.0, 2.0, 3.0]) == Column((2.0,), (1, 2))


def test_a_value_that_fills_bins_has_one_of_its_own():
    assert describe([1.0] * 20) == Column((0.9995, 1.0005), (0, 20, 0))
    assert describe([0.0] * 20) == Column((-1e-06, 1e-06), (0, 20, 0))


@pytest.mark.parametrize(
    ("values", "drifted"),
    [
        pytest.param(RNG.normal(0.0, 1.0, 300), False, id="the same"),
        pytest.param(RNG.normal(1.0, 1.0, 300), True, id="another mean"),
        pytest.param(RNG.normal(0.0, 3.0, 300), True, id="another spread"),
        pytest.param(np.append(RNG.normal(0.0, 1.0, 300), [np.nan] * 300), False, id="half of it missing"),
    ],
)
def test_a_change_of_the_distribution_is_drift(values, drifted):
    assert verdict(values).drifted is drifted


def test_with_few_clips_nothing_is_said():
    found = verdict(np.random.default_rng(27).normal(5.0, 1.0, 49))
    assert (found.n, found.psi, found.drifted) == (49, None, False)


def test_what_was_never_measured_is_not_counted():
    found = verdict([5.0] * 40 + [np.nan] * 60)
    assert (found.n, found.psi) == (40, None)


def test_no_profile_of_a_column_says_nothing():
    found = verdict(THEN, profile={"x": describe([np.nan, np.nan])})
    assert (found.n, found.psi, found.drifted) == (400, None, False)


def test_chance_alone_is_no_drift():
    """Of so few clips, PSI is over its limit by chance in most of these draws."""
    profile = {"x": describe(THEN[:60])}
    rng = np.random.default_rng(27)
    found = [verdict(rng.normal(0.0, 1.0, 20), floor=10, limit=0.1, profile=profile) for _ in range(200)]
    assert sum(one.psi >= 0.1 for one in found) > 50
    assert sum(one.drifted for one in found) <= 8


@pytest.mark.parametrize("value", [1.0, 0.0, 0.123456, -3.3333333])
@pytest.mark.parametrize(("move", "drifted"), [(-0.5, True), (0.5, True), (0.0, False), (1e-7, False)])
def test_a_constant_column_that_moves_to_either_side_has_drifted(value, move, drifted):
    profile = {"x": describe([value] * 100)}
    assert verdict([value + move] * 100, profile=profile).drifted is drifted


def test_many_equal_values_that_become_others_have_drifted():
    profile = {"x": describe([0.0] * 95 + [1.0] * 5)}
    assert verdict([1.0] * 100, profile=profile).drifted


def test_a_profile_is_read_as_it_was_written():
    assert from_dict(json.loads(json.dumps(to_dict(PROFILE)))) == PROFILE


@pytest.mark.parametrize(
    "values",
    [{"x": 1}, {"x": [[1.0], [2]]}, {"x": [["a"], [1, 2]]}, [1]],
    ids=["no pair", "short", "text", "list"],
)
def test_what_is_no_profile_is_bad_data(values):
    with pytest.raises(BadDataError, match="profile cannot be read"):
        from_dict(values)
