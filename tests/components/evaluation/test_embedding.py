"""t-SNE: known clusters stay together, and the same clips lie at the same places."""

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.evaluation.embedding import lay_out, perplexity


def two_clusters(n: int, width: int) -> np.ndarray:
    values = np.random.default_rng(27).normal(size=(n, width))
    values[::2] += 40
    return values


def test_clusters_stay_apart():
    places = lay_out(two_clusters(40, 80), seed=1)
    assert places.shape == (40, 2)
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    assert (gaps.argmin(axis=1) % 2 == np.arange(40) % 2).all(), "the nearest is of the same cluster"


def test_the_seed_alone_decides():
    values = two_clusters(20, 6)
    np.testing.assert_array_equal(lay_out(values, seed=1), lay_out(values, seed=1))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(two_clusters(4, 3), id="as few clips as can be"),
        pytest.param(two_clusters(12, 1), id="one feature"),
        pytest.param(np.repeat(two_clusters(2, 5), 6, axis=0), id="many alike"),
        pytest.param(two_clusters(9, 5).astype(np.float32), id="float32"),
    ],
)
def test_places_are_finite(values):
    places = lay_out(values, seed=1)
    assert places.shape == (len(values), 2)
    assert np.isfinite(places).all()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        pytest.param(two_clusters(3, 5), "3 clips", id="too few"),
        pytest.param(np.ones((9, 5)), "9 clips, all alike", id="all alike"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(values, told):
    with pytest.raises(BadDataError, match=told):
        lay_out(values, seed=1)


@pytest.mark.parametrize(("n", "wanted"), [(4, 1.0), (10, 3.0), (91, 30.0), (500, 30.0)])
def test_perplexity_is_bounded_by_the_clips(n, wanted):
    assert perplexity(n) == wanted
