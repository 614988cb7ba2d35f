"""Which side of the split a clip is on."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil

import numpy as np

from components.core.errors import BadDataError, UsageError
from components.datasets.clips import SIDES

_RANK = {side: rank for rank, side in enumerate(SIDES)}
_SMALLEST_SHARE = 1e-9


def group_side(seed: int, group: str, fractions: Sequence[float]) -> str:
    """The side of a source group: its hash against cumulative fractions, so that other groups do not matter.

    Args:
        group: the source group.
        fractions: shares of SIDES, which add up to 1.
    """
    place = _place(seed, group)
    reached = 0.0
    for side, fraction in zip(SIDES, fractions, strict=True):
        reached += fraction
        if place < reached:
            return side
    return SIDES[-1]


def split_by_group(seed: int, groups: Mapping[str, str], fractions: Sequence[float]) -> dict[str, str]:
    """Sides of clips, given the source group of each."""
    check_fractions(fractions)
    return {clip_id: group_side(seed, group, fractions) for clip_id, group in groups.items()}


def split_at_random(seed: int, clip_ids: Iterable[str], fractions: Sequence[float]) -> dict[str, str]:
    """Sides of clips by a seeded permutation with exact counts; clips of one source are torn apart.

    The test side takes its share rounded up, the validation side its share of the rest rounded up.

    Example:
        >>> from collections import Counter
        >>> sides = split_at_random(27, map(str, range(238)), (0.6, 0.2, 0.2))
        >>> sorted(Counter(sides.values()).items())
        [('test', 48), ('train', 142), ('val', 48)]

    Source: paper 000, IV-A (60, 20 and 20 %). The counts follow from its 48 test clips and from Table 2: 106
    of 142 are 74.65 %, 35 of 48 are 72.92 %.
    """
    check_fractions(fractions)
    _, val, test = (Fraction(str(fraction)) for fraction in fractions)
    order = sorted(clip_ids, key=lambda clip_id: (_place(seed, clip_id), clip_id))
    test_count = ceil(test * len(order))
    val_count = ceil(val / (1 - test) * (len(order) - test_count)) if test < 1 else 0
    sides = ["test"] * test_count + ["val"] * val_count
    sides += ["train"] * (len(order) - len(sides))
    return dict(zip(order, sides, strict=True))


def split_stratified(seed: int, labels: Mapping[str, str], fractions: Sequence[float]) -> dict[str, str]:
    """Sides of clips, the clips of each class split at random by themselves.

    Args:
        labels: the class of each clip.

    Ours, for the profile of paper 001: how the paper divides its clips is not known here.
    """
    clips_of: dict[str, list[str]] = defaultdict(list)
    for clip_id, label in labels.items():
        clips_of[label].append(clip_id)
    sides: dict[str, str] = {}
    for clips in clips_of.values():
        sides |= split_at_random(seed, clips, fractions)
    return sides


def split_as_given(given: Mapping[str, str]) -> dict[str, str]:
    """Sides of clips as the data set's own table or lists say.

    Raises:
        BadDataError: clips without a side, or with another word for it.
    """
    wrong = sorted(clip_id for clip_id, side in given.items() if side not in SIDES)
    if wrong:
        raise BadDataError(
            f"{len(wrong)} clips have no side of the split, among them {wrong[0]}",
            wanted=f"one of {', '.join(SIDES)} for every clip: `split` in clips.csv, or official lists",
            remedy="fill the column, name the lists in dataset.options, or set split.strategy to group",
        )
    return dict(given)


def val_from_train(
    sides: Mapping[str, str], groups: Mapping[str, str], seed: int, share: float
) -> dict[str, str]:
    """Sides of clips where the data set gives train and test alone: a share of train's groups becomes val.

    Args:
        sides: of the clips, as given; where a clip is on the val side already, they stay as they are.
        groups: the source group of each clip.
        share: of the train side, in [0, 1).
    """
    if "val" in sides.values():
        return dict(sides)
    parts = (1 - share, share, 0.0)
    return {
        clip_id: group_side(seed, groups[clip_id], parts) if side == "train" else side
        for clip_id, side in sides.items()
    }


def torn_groups(sides: Mapping[str, str], groups: Mapping[str, str]) -> list[str]:
    """The source groups whose clips lie on several sides, sorted."""
    held: dict[str, set[str]] = defaultdict(set)
    for clip_id, side in sides.items():
        held[groups[clip_id]].add(side)
    return sorted(group for group, found in held.items() if len(found) > 1)


def twins_on_lower_sides(sides: Mapping[str, str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Clips to set aside because a near-duplicate lies on a higher side: test outranks val outranks train.

    Returns:
        The clip that is set aside to its near-duplicate on the highest side.

    Example:
        >>> twins_on_lower_sides({"a": "train", "b": "test", "c": "val"}, [("a", "b"), ("a", "c")])
        {'a': 'b'}
    """
    twins: dict[str, list[str]] = {}
    for one, other in pairs:
        twins.setdefault(one, []).append(other)
        twins.setdefault(other, []).append(one)
    aside: dict[str, str] = {}
    for clip_id in sorted(twins, key=lambda clip_id: (-_RANK[sides[clip_id]], clip_id)):
        rank = _RANK[sides[clip_id]]
        above = [twin for twin in twins[clip_id] if twin not in aside and _RANK[sides[twin]] > rank]
        if above:
            aside[clip_id] = min(above, key=lambda twin: (-_RANK[sides[twin]], twin))
    return aside


def search_seed(groups: Sequence[str], labels: Sequence[str], fractions: Sequence[float], tries: int) -> int:
    """The seed in [0, tries) whose split by group comes nearest to the wanted counts of classes on sides.

    Args:
        groups: source group of each clip.
        labels: class of each clip.
        fractions: shares of SIDES.
        tries: seeds to look at.
    """
    check_fractions(fractions)
    names, group_of = np.unique(np.asarray(groups, str), return_inverse=True)
    classes, class_of = np.unique(np.asarray(labels, str), return_inverse=True)
    counts = np.zeros((len(names), len(classes)))
    np.add.at(counts, (group_of, class_of), 1)
    costs = [
        _imbalance(_sides_of(seed, names, fractions), counts, fractions) for seed in range(max(1, tries))
    ]
    return int(np.argmin(costs))


def search_random_seed(
    clips: Sequence[str], labels: Sequence[str], fractions: Sequence[float], tries: int
) -> int:
    """The same for the split at random, whose counts are exact: only the classes are balanced.

    Args:
        clips: names of the clips.
        labels: class of each.
        fractions: shares of SIDES.
        tries: seeds to look at.
    """
    classes, class_of = np.unique(np.asarray(labels, str), return_inverse=True)
    counts = np.eye(len(classes))[class_of]
    shares = (fractions[0], fractions[1], fractions[2])

    def cost(seed: int) -> float:
        side_of = split_at_random(seed, clips, shares)
        return _imbalance(np.asarray([_RANK[side_of[clip]] for clip in clips]), counts, fractions)

    return min(range(max(1, tries)), key=cost)


def _sides_of(seed: int, names: np.ndarray, fractions: Sequence[float]) -> np.ndarray:
    return np.asarray([_RANK[group_side(seed, str(name), fractions)] for name in names])


def _imbalance(sides: np.ndarray, counts: np.ndarray, fractions: Sequence[float]) -> float:
    """Share of clips that lie on a wrong side, counted per class; a class missing on a side counts as all."""
    total = 0.0
    for rank, fraction in enumerate(fractions):
        present = counts[sides == rank].sum(axis=0)
        total += np.abs(present - fraction * counts.sum(axis=0)).sum() / counts.sum()
        total += float(fraction > 0) * float((present == 0).sum())
    return float(total)


def _place(seed: int, name: str) -> float:
    """A number in [0, 1) that only seed and name decide."""
    first = hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8]
    return (int.from_bytes(first) >> 11) / 2**53


def check_fractions(fractions: Sequence[float]) -> None:
    """Raise UsageError unless they are shares of SIDES that add up to 1."""
    whole = len(fractions) == len(SIDES) and abs(sum(fractions) - 1) <= _SMALLEST_SHARE  # false for NaN, too
    if not whole or min(fractions) < 0:
        raise UsageError(
            f"split.fractions are {list(fractions)}",
            wanted=f"shares of {', '.join(SIDES)} that add up to 1",
            remedy="correct split.fractions in params.yaml",
        )
