"""Standardisation: paper 000's z = (x - mean) / deviation, with what the paper does not say."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import StandardScaler

from components.core.errors import BadDataError
from components.features.scaler import Scaler, fit

tables = arrays(
    np.float64, st.tuples(st.integers(1, 40), st.just(4)), elements=st.integers(-2000, 2000).map(float)
)


@given(tables)
def test_agrees_with_scikit_learn_where_nothing_is_missing(numbers: np.ndarray) -> None:
    wanted = StandardScaler().fit_transform(numbers)
    np.testing.assert_allclose(fit(numbers).apply(numbers), wanted, atol=1e-5)


def test_missing_numbers_take_no_part_and_become_zero() -> None:
    numbers = np.array([[1.0, np.nan], [3.0, 10.0], [np.nan, 30.0]])
    scaler = fit(numbers)
    assert scaler.mean.tolist() == [2, 20]
    assert scaler.scale.tolist() == [1, 10]
    assert scaler.n.tolist() == [2, 2]
    assert scaler.apply(numbers).tolist() == [[-1, 0], [1, -1], [0, 1]]


@pytest.mark.parametrize(
    ("column", "mean"),
    [
        pytest.param([7.0, 7.0, 7.0], 7.0, id="constant"),
        pytest.param([0.1, 0.1, 0.1], 0.1, id="constant, not a round number"),
        pytest.param([5.0], 5.0, id="one frame"),
        pytest.param([np.nan, np.nan], 0.0, id="never measured"),
    ],
)
def test_a_column_without_spread_has_scale_one(column: list[float], mean: float) -> None:
    scaler = fit(np.array(column)[:, None])
    assert scaler.scale.tolist() == [1.0]
    assert scaler.mean[0] == pytest.approx(mean)
    assert np.abs(scaler.apply(np.array(column)[:, None])).max() < 1e-6


@given(arrays(np.float64, (10, 29), elements=st.floats(-86, 1836, width=32)))
def test_normalise_then_reshape_is_reshape_then_normalise(numbers: np.ndarray) -> None:
    """Algorithm 1 and the paper's prose give the two steps in opposite order: it makes no difference."""
    scaler = fit(numbers)
    np.testing.assert_array_equal(
        scaler.apply(numbers).reshape(2, 5, 29), scaler.apply(numbers.reshape(2, 5, 29))
    )


def test_survives_json() -> None:
    numbers = np.random.default_rng(3).normal(300, 200, (50, 29))
    scaler = fit(numbers)
    again = Scaler.from_dict(json.loads(json.dumps(scaler.to_dict())))
    np.testing.assert_allclose(again.apply(numbers), scaler.apply(numbers), atol=1e-5)
    assert again.to_dict() == scaler.to_dict()


def test_refuses_other_columns() -> None:
    with pytest.raises(BadDataError, match="numbers of 31 columns"):
        fit(np.zeros((2, 29))).apply(np.zeros((5, 31)))
