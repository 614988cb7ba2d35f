"""Folds: whole groups, every clip tested once, near-duplicates together, classes balanced."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.errors import BadDataError
from components.datasets.folds import assign_parts, joined_groups, sides_of_fold

GROUPS = {f"{name}/{film}-{k}": f"film-{film}" for film in range(12) for name in ("a", "b") for k in range(3)}
LABELS = {clip: clip.split("/")[0] for clip in GROUPS}


@given(st.integers(0, 50), st.integers(2, 6))
@settings(deadline=None, max_examples=30)
def test_groups_stay_whole_and_every_clip_has_a_part(seed, folds):
    parts = assign_parts(GROUPS, LABELS, folds, seed)
    assert parts.keys() == GROUPS.keys()
    assert set(parts.values()) == set(range(2 * folds))
    assert len({(GROUPS[clip], part) for clip, part in parts.items()}) == 12


def test_random_folds_tear_groups_apart_and_balance_classes():
    parts = assign_parts(GROUPS, LABELS, 2, 27, "random")
    assert len({(GROUPS[clip], part) for clip, part in parts.items()}) > 12
    assert set(Counter((LABELS[clip], part) for clip, part in parts.items()).values()) == {9}


def test_the_same_seed_gives_the_same_folds_whatever_the_order():
    turned = dict(reversed(GROUPS.items()))
    assert assign_parts(GROUPS, LABELS, 4, 27) == assign_parts(turned, LABELS, 4, 27)
    assert assign_parts(GROUPS, LABELS, 4, 27) != assign_parts(GROUPS, LABELS, 4, 28)


@pytest.mark.parametrize(
    ("strategy", "count", "said"),
    [("group", 7, "12 sources, for 7 folds"), ("random", 19, "36 clips, for 19 folds")],
)
def test_more_folds_than_there_is_to_divide(strategy, count, said):
    with pytest.raises(BadDataError, match=said):
        assign_parts(GROUPS, LABELS, count, 27, strategy)


def test_over_all_folds_each_clip_is_tested_once_and_validated_at_most_once():
    parts = assign_parts(GROUPS, LABELS, 5, 27)
    sides = [sides_of_fold(parts, fold, 5) for fold in range(5)]
    for clip in GROUPS:
        times = Counter(of_fold[clip] for of_fold in sides)
        assert (times["test"], times["val"]) == (1, 1 - parts[clip] % 2)
    groups = [{(GROUPS[clip], side) for clip, side in of_fold.items()} for of_fold in sides]
    assert all(len(of_fold) == 12 for of_fold in groups)


def test_groups_of_near_duplicates_are_joined_however_long_the_chain():
    groups = {clip: f"film-{clip}" for clip in "abcdef"}
    joined = joined_groups(groups, [("c", "b"), ("d", "c"), ("f", "e")])
    assert [joined[clip] for clip in "abcdef"] == [
        *("film-a", "film-b", "film-b", "film-b"),
        *("film-e", "film-e"),
    ]
