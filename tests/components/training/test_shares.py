"""Shares of the train side: nested, of whole groups, with every class."""

from itertools import pairwise

import numpy as np
import pytest

from components.training.shares import rows_of_share

GROUPS = np.array([f"film{i // 3:02d}" for i in range(60)])
LABELS = np.array([i // 3 % 2 for i in range(60)])
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)


@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"seed {seed}") for seed in (0, 1, 27)])
def test_smaller_shares_lie_in_larger_ones_by_whole_groups(seed):
    kept = [set(np.flatnonzero(rows_of_share(GROUPS, LABELS, share, seed))) for share in SHARES]
    assert all(small < large for small, large in pairwise(kept))
    assert [len({GROUPS[row] for row in rows}) for rows in kept] == [2, 5, 10, 15, 20]
    assert [len(rows) for rows in kept] == [6, 15, 30, 45, 60]


def test_classes_keep_their_proportions():
    labels = np.where(np.arange(60) < 15, 1, 0)  # 5 of 20 groups
    kept = rows_of_share(GROUPS, labels, 0.4, 27)
    assert (labels[kept] == 1).sum() == 6


def test_another_seed_takes_other_groups():
    one, other = (rows_of_share(GROUPS, LABELS, 0.5, seed) for seed in (1, 2))
    assert not np.array_equal(one, other)
    assert np.array_equal(one, rows_of_share(GROUPS, LABELS, 0.5, 1))


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(np.where(np.arange(60) == 59, 1, 0), id="a class of one clip"),
        pytest.param(np.where(np.arange(60) % 3 == 2, 1, 0), id="classes together in every group"),
        pytest.param(np.arange(60) // 3 % 4, id="four classes"),
    ],
)
def test_every_class_is_kept(labels):
    kept = rows_of_share(GROUPS, labels, 0.01, 27)
    assert set(labels[kept]) == set(labels)
    assert kept.sum() < 60
