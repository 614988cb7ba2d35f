"""Two models on the same clips: how much better one is, how sure that is, what could have been seen."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import comb, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from components.core.errors import BadDataError
from components.evaluation.intervals import group_draws, percentile_bounds
from components.evaluation.settings import BootstrapSettings

Integers = NDArray[np.int64]

POWER = 0.8
# Up to this many groups all sign flips are counted; beyond it so many are drawn that the least p value
# stays below 0.05 when it is adjusted for hundreds of comparisons.
_EXACT_GROUPS = 14
_FLIPS = 20_000


@dataclass(frozen=True)
class Pair:
    """Two models' predictions of the same N clips.

    Attributes:
        labels, first, second: (N,) class index: the truth, what the one and what the other says.
        groups: (N,) source group.
    """

    labels: Integers
    first: Integers
    second: Integers
    groups: NDArray[np.str_]

    def __post_init__(self) -> None:
        sizes = {len(self.labels), len(self.first), len(self.second), len(self.groups)}
        if len(sizes) != 1 or not len(self.labels):
            raise BadDataError(
                f"Paired predictions of {sorted(sizes)} clips",
                wanted="the same clips for both models, at least one",
                remedy="evaluate both models on the same tensors",
            )

    @property
    def identical(self) -> bool:
        """Whether the two say the same of every clip."""
        return bool(np.array_equal(self.first, self.second))

    @cached_property
    def gains(self) -> Integers:
        """(N,): 1 where only the first is right, -1 where only the second is, else 0."""
        return (self.first == self.labels).astype(np.int64) - (self.second == self.labels)


@dataclass(frozen=True)
class PairedDifference:
    """Accuracy of the first model minus the second's, in [-1, 1].

    Attributes:
        low, high: bounds by the bootstrap over source groups, None with a single group.
        level: their two-sided confidence; each alone holds with (1 + level) / 2.
        p_sign_flip: two-sided, by flipping the sign of whole source groups.
        p_mcnemar: exact, two-sided; assumes independent clips, which clips of one source are not.
        smallest_detectable: the true difference that a test of this level finds four times in five.
    """

    n: int
    n_groups: int
    difference: float
    low: float | None
    high: float | None
    level: float
    only_first_right: int
    only_second_right: int
    identical: bool
    p_sign_flip: float
    p_mcnemar: float
    smallest_detectable: float | None
    mcnemar_assumes: str = "independent clips"


def paired_difference(pair: Pair, settings: BootstrapSettings) -> PairedDifference:
    """Test the difference in accuracy between two models on the same clips.

    Example: 10 clips of 2 sources, the first model right on 8, the second on 6 -> difference 0.2.
    """
    totals, sizes = _by_group(pair)
    wins, losses = int((pair.gains > 0).sum()), int((pair.gains < 0).sum())
    bounds = _bounds(totals, sizes, settings)
    return PairedDifference(
        n=len(pair.labels),
        n_groups=len(totals),
        difference=float(pair.gains.mean()),
        low=bounds and bounds[0],
        high=bounds and bounds[1],
        level=settings.level,
        only_first_right=wins,
        only_second_right=losses,
        identical=pair.identical,
        p_sign_flip=sign_flip_p(totals, settings.seed),
        p_mcnemar=mcnemar_p(wins, losses),
        smallest_detectable=smallest_detectable(totals, sizes, settings.level),
    )


def sign_flip_p(totals: Integers, seed: int) -> float:
    """Share of sign patterns whose sum is at least as far from 0 as the one seen; two-sided.

    Args:
        totals: (G,) clips won minus clips lost, per source group.
        seed: of the patterns that are drawn where there are too many to count.

    Source: Fisher's randomisation test, with the source group as the unit.
    """
    moving = totals[totals != 0]
    seen = abs(int(moving.sum()))
    if len(moving) <= _EXACT_GROUPS:
        patterns = np.array(list(product((-1, 1), repeat=len(moving))), dtype=np.int64)
        return float((np.abs(patterns @ moving) >= seen).mean())
    generator = np.random.default_rng(seed)
    drawn = 2.0 * generator.integers(0, 2, size=(_FLIPS, len(moving)), dtype=np.int8) - 1
    as_far = int((np.abs(drawn @ moving) >= seen).sum())
    return (1 + as_far) / (1 + _FLIPS)


def mcnemar_p(wins: int, losses: int) -> float:
    """Exact two-sided McNemar test: a fair coin over the clips on which only one model is right.

    Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions", 1947.
    """
    n = wins + losses
    tail = sum(comb(n, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / 2**n)


def smallest_detectable(totals: Integers, sizes: Integers, level: float) -> float | None:
    """The smallest true difference found with a power of 80 %, given how much the groups differ.

    The standard error never counts as less than one clip's, so that models which agree everywhere are not
    said to be told apart by nothing.

    Returns:
        In (0, ...], None with a single group, where the spread between groups is unknown.
    """
    n_groups, n = len(totals), int(sizes.sum())
    if n_groups < 2:
        return None
    rest = totals - totals.sum() / n * sizes
    error = sqrt(n_groups / (n_groups - 1) * float((rest**2).sum())) / n
    normal = NormalDist()
    return (normal.inv_cdf((1 + level) / 2) + normal.inv_cdf(POWER)) * max(error, 1 / n)


def holm(p_values: list[float]) -> list[float]:
    """P values adjusted for testing them all, in the order given.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6, 1979.
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def _by_group(pair: Pair) -> tuple[Integers, Integers]:
    """Sum of gains and number of clips per source group, each (G,)."""
    _, group_of_clip, sizes = np.unique(pair.groups, return_inverse=True, return_counts=True)
    totals = np.zeros(len(sizes), dtype=np.int64)
    np.add.at(totals, group_of_clip, pair.gains)
    return totals, sizes


def _bounds(totals: Integers, sizes: Integers, settings: BootstrapSettings) -> tuple[float, float] | None:
    if len(totals) < 2:
        return None
    draws = group_draws(len(totals), settings)
    return percentile_bounds((draws @ totals) / (draws @ sizes), settings.level)
