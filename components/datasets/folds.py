"""Folds: clips divided so that each is on the test side once."""

from collections.abc import Iterable, Mapping
from typing import Literal

from components.core.errors import BadDataError

Strategy = Literal["group", "random"]


def assign_parts(
    groups: Mapping[str, str], labels: Mapping[str, str], folds: int, seed: int, strategy: Strategy = "group"
) -> dict[str, int]:
    """The part of each clip, from 0 on, two to a fold, classes spread as evenly as whole groups allow.

    Args:
        groups: by clip, what `group` never divides; `random` does.
        labels: by clip.

    Raises:
        BadDataError: a class has fewer groups, or clips, than there are parts.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    clips = sorted(groups)
    units = {clip: groups[clip] if strategy == "group" else clip for clip in clips}
    _check(units, labels, 2 * folds, strategy)
    of_clips = [labels[clip] for clip in clips]
    if strategy == "random":
        parts = StratifiedKFold(2 * folds, shuffle=True, random_state=seed).split(clips, of_clips)
    else:
        whole = StratifiedGroupKFold(2 * folds, shuffle=True, random_state=seed)
        parts = whole.split(clips, of_clips, [groups[clip] for clip in clips])
    return {clips[row]: part for part, (_, rows) in enumerate(parts) for row in rows}


def sides_of_fold(parts: Mapping[str, int], fold: int, folds: int) -> dict[str, str]:
    """Sides of clips when a fold, which is two parts, is the test side: the part after it is val.

    Five folds give 70 % train, 10 % val, 20 % test.

    Example:
        >>> sides_of_fold({"a": 2, "b": 3, "c": 4, "d": 5, "e": 0}, fold=1, folds=3)
        {'a': 'test', 'b': 'test', 'c': 'val', 'd': 'train', 'e': 'train'}
    """
    val = (2 * fold + 2) % (2 * folds)
    side_of = {2 * fold: "test", 2 * fold + 1: "test", val: "val"}
    return {clip: side_of.get(part, "train") for clip, part in parts.items()}


def joined_groups(groups: Mapping[str, str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Groups by clip, those of copies and near-duplicates taken together, so that no fold divides a pair.

    Example:
        >>> joined_groups({"a": "film-1", "b": "film-2", "c": "film-3"}, [("a", "b")])
        {'a': 'film-1', 'b': 'film-1', 'c': 'film-3'}
    """
    joined = {group: group for group in groups.values()}

    def first_of(group: str) -> str:
        while joined[group] != group:
            group = joined[group]
        return group

    for one, other in pairs:
        low, high = sorted((first_of(groups[one]), first_of(groups[other])))
        joined[high] = low
    return {clip: first_of(group) for clip, group in groups.items()}


def _check(units: Mapping[str, str], labels: Mapping[str, str], parts: int, strategy: Strategy) -> None:
    what = "sources" if strategy == "group" else "clips"
    for name in sorted({labels[clip] for clip in units}):
        n = len({unit for clip, unit in units.items() if labels[clip] == name})
        if n < parts:
            raise BadDataError(
                f"Class {name} has clips of {n} {what}, for {parts // 2} folds",
                wanted=f"at least {parts} {what} of every class: two to a fold",
                remedy="lower protocol.folds in params.yaml, or add clips of more sources",
            )
