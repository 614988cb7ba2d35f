"""A share of the train side, by whole source groups: what a learning curve is drawn over."""

from math import ceil

import numpy as np


def learning_order(groups: np.ndarray, labels: np.ndarray, seed: int) -> tuple[list[str], int]:
    """Source groups in the order in which shares take them up, and how many of them hold every class.

    Groups of equal classes are spread evenly over the order, so that any beginning of it has about the
    classes' proportions.

    Args:
        groups, labels: (N,) of the train side's clips.
    """
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    classes = {str(name): frozenset(labels[groups == name].tolist()) for name in names}
    alike: dict[frozenset[int], list[str]] = {}
    for name, held in classes.items():
        alike.setdefault(held, []).append(name)
    place = {name: (k + 0.5) / len(members) for members in alike.values() for k, name in enumerate(members)}
    order = sorted(classes, key=place.__getitem__)
    first: list[str] = []
    missing = set(labels.tolist())
    for name in order:
        if missing & classes[name]:
            first.append(name)
            missing -= classes[name]
    return [*first, *(name for name in order if name not in first)], len(first)


def rows_of_share(groups: np.ndarray, labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Which clips a share of the source groups has: (N,) bool; a smaller share's lie in a larger one's.

    Every class is kept, so a small share may come out larger than asked for.

    Args:
        groups, labels: (N,) of the train side's clips.
        share: of the groups, above 0 and up to 1; part of a group is a whole one.
    """
    order, least = learning_order(groups, labels, seed)
    n = max(least, ceil(share * len(order) - 1e-9))
    return np.isin(groups, order[:n])
