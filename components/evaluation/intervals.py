"""Intervals: Wilson's for independent items, and the bootstrap over source groups for ours, which are not."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from components.evaluation.metrics import Scored, measures
from components.evaluation.settings import BootstrapSettings

Floats = NDArray[np.float64]
Method = Literal["group bootstrap", "wilson over groups", "wilson"]

# Resamples times items held in memory at once.
_BLOCK = 4_000_000
# Fewer defined resamples than this and the interval speaks of another population.
_MIN_DEFINED = 0.5


@dataclass(frozen=True)
class Interval:
    """Bounds of a number at a two-sided confidence `level`."""

    low: float
    high: float
    level: float
    method: Method


def wilson(successes: float, n: float, level: float = 0.95) -> Interval | None:
    """Wilson's score interval of a rate, which assumes that the n items are independent.

    Returns:
        None when n is 0.

    Example:
        >>> found = wilson(43, 48)
        >>> round(found.low, 3), round(found.high, 3)
        (0.778, 0.955)

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA, 1927.
    """
    if n <= 0:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate = successes / n
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half)), level, "wilson")


def group_draws(n_groups: int, settings: BootstrapSettings) -> Floats:
    """How often each resample draws each group: (samples, n_groups), rows sum to n_groups."""
    generator = np.random.default_rng(settings.seed)
    return generator.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=settings.samples).astype(
        float
    )


def percentile_bounds(values: Floats, level: float) -> tuple[float, float] | None:
    """Bounds of the middle `level` of resampled values, or None when too few are defined."""
    defined = values[~np.isnan(values)]
    if len(defined) == 0 or len(defined) < _MIN_DEFINED * len(values):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def group_intervals(scored: Scored, settings: BootstrapSettings) -> dict[str, Interval | None]:
    """The interval of every metric of `measures`, source groups resampled whole.

    Where all resamples agree (one group, or every group alike) the bootstrap has nothing to say: accuracy and
    recall then get Wilson's interval with the groups as its items, any other metric gets None. The
    calibration error's resamples lie above its point value, as that metric grows with noise.

    Source: Field, Welsh, "Bootstrapping clustered data", JRSS B 69, 2007 (cluster bootstrap).
    """
    if len(scored) == 0:
        return dict.fromkeys(measures(scored))
    blocks = [measures(scored, weights) for weights in _resampled_weights(scored, settings)]
    joined = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    return {name: _interval(name, values, scored, settings.level) for name, values in joined.items()}


def rate_interval(
    events: NDArray[Any], exposure: Floats, groups: NDArray[np.str_], settings: BootstrapSettings
) -> Interval | None:
    """The interval of events per unit of exposure, source groups resampled whole.

    Args:
        events, exposure: (N,) of each item: alarms and hours, say.
        groups: (N,) source group.

    Returns:
        None where all resamples agree: no event at all, or one group.
    """
    names, place = np.unique(groups, return_inverse=True)
    if not len(names):
        return None
    draws = group_draws(len(names), settings)
    counted, over = (draws @ np.bincount(place, weights=values) for values in (events, exposure))
    rates = np.divide(counted, over, out=np.full(len(draws), np.nan), where=over > 0)
    bounds = percentile_bounds(rates, settings.level)
    if bounds is None or bounds[1] - bounds[0] <= 1e-12:
        return None
    return Interval(*bounds, settings.level, "group bootstrap")


def _resampled_weights(scored: Scored, settings: BootstrapSettings) -> Iterator[Floats]:
    _, group_of_item = np.unique(scored.groups, return_inverse=True)
    draws = group_draws(int(group_of_item.max()) + 1, settings)
    rows = max(1, _BLOCK // len(scored))
    for start in range(0, len(draws), rows):
        yield draws[start : start + rows][:, group_of_item]


def _interval(name: str, values: Floats, scored: Scored, level: float) -> Interval | None:
    bounds = percentile_bounds(values, level)
    if bounds is None:
        return None
    if bounds[1] - bounds[0] > 1e-12:
        return Interval(*bounds, level, "group bootstrap")
    return _collapsed(name, bounds[0], scored, level)


def _collapsed(name: str, rate: float, scored: Scored, level: float) -> Interval | None:
    counted = _counted_items(name, scored)
    if counted is None:
        return None
    n_groups = len(np.unique(scored.groups[counted]))
    found = wilson(rate * n_groups, n_groups, level)
    return None if found is None else Interval(found.low, found.high, level, "wilson over groups")


def _counted_items(name: str, scored: Scored) -> NDArray[np.bool_] | None:
    """The items (N,) that a rate is counted over, None for what is no rate of labelled items."""
    if name == "accuracy":
        return np.ones(len(scored), dtype=bool)
    metric, _, of_class = name.partition("_")
    if metric == "recall" and of_class in scored.classes:
        return scored.labels == scored.classes.index(of_class)
    return None
