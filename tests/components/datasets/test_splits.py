"""Splits: no state, no leak, exact counts where they are promised."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import BadDataError, UsageError
from components.datasets.splits import (
    group_side,
    search_random_seed,
    search_seed,
    split_as_given,
    split_at_random,
    split_by_group,
    split_stratified,
    torn_groups,
    twins_on_lower_sides,
    val_from_train,
)

FRACTIONS = (0.6, 0.2, 0.2)
NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=30, unique=True)


@given(names=NAMES, more=NAMES, seed=st.integers(0, 10**6))
def test_adding_clips_moves_nobody(names: list[str], more: list[str], seed: int) -> None:
    few = split_by_group(seed, {name: name for name in names}, FRACTIONS)
    many = split_by_group(seed, {name: name for name in names + more}, FRACTIONS)
    assert {name: many[name] for name in names} == few


@given(groups=st.dictionaries(st.text(max_size=5), st.sampled_from("abcd")), seed=st.integers(0, 999))
def test_a_group_is_never_divided(groups: dict[str, str], seed: int) -> None:
    sides = split_by_group(seed, groups, FRACTIONS)
    for group in set(groups.values()):
        assert len({sides[clip] for clip, of in groups.items() if of == group}) == 1


def test_shares_are_met_over_many_groups() -> None:
    counts = Counter(group_side(27, f"film-{k}", FRACTIONS) for k in range(10_000))
    assert counts["train"] == pytest.approx(6000, abs=150)
    assert counts["val"] == pytest.approx(2000, abs=120)


def test_the_hash_never_changes() -> None:
    for k in range(50):
        place = int(hashlib.sha256(f"27:film-{k}".encode()).hexdigest(), 16) / 2**256
        expected = "train" if place < 0.6 else "val" if place < 0.8 else "test"
        assert group_side(27, f"film-{k}", FRACTIONS) == expected


@pytest.mark.parametrize(
    ("clips", "counts"),
    [
        pytest.param(238, (142, 48, 48), id="the stalking set of paper 000"),
        pytest.param(10, (6, 2, 2), id="ten"),
        pytest.param(1, (0, 0, 1), id="one"),
    ],
)
def test_random_split_has_exact_counts(clips: int, counts: tuple[int, int, int]) -> None:
    ids = [f"{k}.mp4" for k in range(clips)]
    sides = split_at_random(27, ids, FRACTIONS)
    found = Counter(sides.values())
    assert (found["train"], found["val"], found["test"]) == counts
    assert split_at_random(27, reversed(ids), FRACTIONS) == sides
    if clips > 10:
        assert split_at_random(28, ids, FRACTIONS) != sides


def test_a_stratified_split_has_exact_counts_of_every_class() -> None:
    labels = {
        f"{label}/{k}": label for label, count in (("calm", 200), ("harassment", 100)) for k in range(count)
    }
    sides = split_stratified(42, labels, (0.72, 0.08, 0.2))
    assert Counter((labels[clip], side) for clip, side in sides.items()) == {
        ("calm", "train"): 144,
        ("calm", "val"): 16,
        ("calm", "test"): 40,
        ("harassment", "train"): 72,
        ("harassment", "val"): 8,
        ("harassment", "test"): 20,
    }
    assert split_stratified(42, dict(reversed(labels.items())), (0.72, 0.08, 0.2)) == sides
    assert split_stratified(43, labels, (0.72, 0.08, 0.2)) != sides


@pytest.mark.parametrize("fractions", [(0.6, 0.2, 0.1), (1.2, -0.1, -0.1), (0.5, 0.5)])
def test_shares_that_do_not_add_up(fractions: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="add up to 1"):
        split_by_group(1, {"a": "a"}, fractions)


def test_given_sides() -> None:
    assert split_as_given({"a": "train", "b": "test"}) == {"a": "train", "b": "test"}
    with pytest.raises(BadDataError, match="2 clips have no side of the split, among them b"):
        split_as_given({"a": "train", "c": "dev", "b": ""})


@pytest.mark.parametrize(
    ("sides", "pairs", "aside"),
    [
        pytest.param("train test", "ab", {"a": "b"}, id="test outranks train"),
        pytest.param("test val", "ab", {"b": "a"}, id="test outranks val"),
        pytest.param("val train", "ab", {"b": "a"}, id="val outranks train"),
        pytest.param("train train", "ab", {}, id="one side"),
        pytest.param("train val test", "ab bc", {"b": "c"}, id="one set aside sets nobody else aside"),
        pytest.param("train val test", "ab bc ac", {"a": "c", "b": "c"}, id="three copies"),
    ],
)
def test_near_duplicates_on_two_sides(sides: str, pairs: str, aside: dict[str, str]) -> None:
    of = dict(zip("abc", sides.split(), strict=False))
    assert twins_on_lower_sides(of, [(pair[0], pair[1]) for pair in pairs.split()]) == aside


def test_the_seed_that_balances_best() -> None:
    groups = [f"film-{k // 4}" for k in range(80)]
    labels = ["fight" if k % 4 < 2 else "calm" for k in range(80)]
    seed = search_seed(groups, labels, FRACTIONS, 500)
    sides = [group_side(seed, group, FRACTIONS) for group in groups]
    assert Counter(sides) == {"train": 48, "val": 16, "test": 16}


def test_the_seed_leaves_no_class_out(shared_data: Path) -> None:
    rows = (shared_data / "surveillance-fights" / "clips.csv").read_text().split()[1:]
    groups = [row.split(",")[2] for row in rows]
    labels = [row.split(",")[1] for row in rows]
    seed = search_seed(groups, labels, FRACTIONS, 1000)
    counts = Counter(
        (group_side(seed, group, FRACTIONS), label) for group, label in zip(groups, labels, strict=True)
    )
    for (side, label), count in counts.items():
        wanted = dict(zip(("train", "val", "test"), FRACTIONS, strict=True))[side] * labels.count(label)
        assert count == pytest.approx(wanted, rel=0.25), (side, label)


def test_the_seed_searched_for_a_random_split_balances_the_classes():
    clips = [f"{k:02d}" for k in range(14)]
    labels = ["rare" if k < 5 else "common" for k in range(14)]
    seed = search_random_seed(clips, labels, (0.6, 0.2, 0.2), 200)
    sides = split_at_random(seed, clips, (0.6, 0.2, 0.2))
    present = {(sides[clip], label) for clip, label in zip(clips, labels, strict=True)}
    assert len(present) == 6


def test_val_is_taken_from_train_by_group() -> None:
    groups = {f"{group}/{k}": f"film-{group}" for group in range(200) for k in range(3)}
    given = {name: "test" if name.startswith("1") else "train" for name in groups}
    sides = val_from_train(given, groups, 27, 0.2)
    assert {name for name, side in sides.items() if side == "test"} == {
        name for name, side in given.items() if side == "test"
    }
    assert not torn_groups(sides, groups)
    counts = Counter(sides.values())
    assert counts["val"] / (counts["val"] + counts["train"]) == pytest.approx(0.2, abs=0.1)


def test_a_given_val_side_stays_as_it_is() -> None:
    given = {"a": "train", "b": "val", "c": "train"}
    assert val_from_train(given, {name: name for name in given}, 27, 0.99) == given


def test_sources_on_two_sides_are_named() -> None:
    groups = {"a": "x", "b": "x", "c": "y", "d": "y"}
    assert torn_groups({"a": "train", "b": "test", "c": "test", "d": "test"}, groups) == ["x"]
