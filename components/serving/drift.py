"""Drift: whether the clips that are scored still look like those that were learned from.

A profile holds, for each column, how the values of the champion's clips fall into bins of about equal count.
The population stability index (PSI) sets the bins' shares then and now against each other: the sum over bins
of (now - then) ln(now / then). By custom 0.1 is noticeable and 0.25 large; with few clips chance alone gives
more, so a column has drifted only if its PSI is large and no accident of so many clips.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.core.errors import BadDataError

BINS = 10
PER_BIN = 10  # clips of a profile, at least, so that a share is worth something
DIGITS = 4
NEAR = 5e-4  # of a value, or 1e-6: what lies nearer is that value
SIGNIFICANCE = 0.01  # over all columns together


@dataclass(frozen=True)
class Column:
    """How one column's values fall into bins.

    Attributes:
        edges: (B - 1,) ascending; a value on an edge counts to the bin above it.
        counts: (B,) values in each bin.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def n(self) -> int:
        """How many values."""
        return sum(self.counts)


@dataclass(frozen=True)
class Drift:
    """One column then and now.

    Attributes:
        n: values now.
        psi: None with fewer values than the floor, or none then.
        drifted: whether it is large and no accident.
    """

    column: str
    n: int
    psi: float | None
    drifted: bool


def describe(values: Sequence[float] | np.ndarray) -> Column:
    """The column of these values; those that are NaN are missing and take no part.

    A value that alone would fill a bin has one of its own, so that a move to either side of it is seen.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    bins = int(np.clip(len(known) // PER_BIN, 2, BINS))
    inner = np.quantile(known, np.arange(1, bins) / bins) if len(known) else np.array([])
    edges = np.array([float(f"{edge:.{DIGITS}g}") for edge in inner])
    found, times = np.unique(known, return_counts=True)
    for value in found[times > len(known) / bins]:
        near = max(NEAR * abs(value), 1e-6)
        edges = np.append(edges[np.abs(edges - value) > near], [value - near, value + near])
    edges = np.unique([float(f"{edge:.{DIGITS + 3}g}") for edge in edges])
    return Column(tuple(map(float, edges)), _counts(edges, known))


def compare(
    profile: Mapping[str, Column], values: Mapping[str, np.ndarray], *, floor: int, limit: float
) -> list[Drift]:
    """Every column of a profile against the values of now.

    Args:
        values: (N,) by column, NaN where missing.
        floor: with fewer values nothing is said.
        limit: PSI from which a change is large.
    """
    return [
        _compare(name, column, np.asarray(values.get(name, ()), np.float64), floor, limit, len(profile))
        for name, column in profile.items()
    ]


def psi(then: Sequence[int], now: Sequence[int]) -> float:
    """The index of two sets of counts (B,), half a count added to each so that none is 0."""
    first, second = (np.asarray(counts, np.float64) + 0.5 for counts in (then, now))
    first, second = first / first.sum(), second / second.sum()
    return float(((second - first) * np.log(second / first)).sum())


def to_dict(profile: Mapping[str, Column]) -> dict[str, Any]:
    """Plain values for JSON."""
    return {name: [list(column.edges), list(column.counts)] for name, column in profile.items()}


def from_dict(values: Mapping[str, Any]) -> dict[str, Column]:
    """The profile of `to_dict`.

    Raises:
        BadDataError: it is none.
    """
    try:
        found = {
            name: Column(tuple(map(float, edges)), tuple(map(int, counts)))
            for name, (edges, counts) in values.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise _no_profile() from error
    if any(len(column.counts) != len(column.edges) + 1 for column in found.values()):
        raise _no_profile()
    return found


def _compare(name: str, column: Column, values: np.ndarray, floor: int, limit: float, columns: int) -> Drift:
    known = values[np.isfinite(values)]
    if len(known) < floor or not column.n:
        return Drift(name, len(known), None, False)
    now = _counts(np.array(column.edges), known)
    index = psi(column.counts, now)
    return Drift(name, len(known), index, index >= limit and _is_no_accident(index, column, now, columns))


def _is_no_accident(index: float, column: Column, now: Sequence[int], columns: int) -> bool:
    """Without drift, PSI n m / (n + m) is about chi-squared with B - 1 degrees of freedom."""
    from scipy.stats import chi2

    n, m = column.n, sum(now)
    freedom = max(1, len(column.counts) - 1)
    return bool(chi2.sf(index * n * m / (n + m), freedom) < SIGNIFICANCE / columns)


def _counts(edges: np.ndarray, values: np.ndarray) -> tuple[int, ...]:
    places = np.searchsorted(edges, values, side="right")
    return tuple(int(count) for count in np.bincount(places, minlength=len(edges) + 1))


def _no_profile() -> BadDataError:
    return BadDataError(
        "The champion's profile cannot be read",
        wanted="edges and counts of every column",
        remedy="promote it again with this version of Tailwatch",
    )
