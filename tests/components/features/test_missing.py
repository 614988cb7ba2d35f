"""Missing numbers are carried from the nearest frame of the same clip."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.features.missing import carry

N = np.nan


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        pytest.param([1, 2, 3], [1, 2, 3], id="nothing missing"),
        pytest.param([N, 2, N], [2, 2, 2], id="from both sides"),
        pytest.param([1, N, N, N, 5], [1, 1, 1, 5, 5], id="of two equally near frames, the earlier"),
        pytest.param([N, N, 3], [3, 3, 3], id="from the end"),
        pytest.param([N, N], [N, N], id="never measured stays missing"),
    ],
)
def test_carry(column: list[float], wanted: list[float]) -> None:
    numbers = np.array(column, np.float32)[:, None]
    np.testing.assert_array_equal(carry(numbers), np.array(wanted, np.float32)[:, None])


@given(arrays(np.float32, (5, 3), elements=st.one_of(st.just(np.nan), st.floats(-1e4, 1e4, width=32))))
def test_measured_numbers_stay_and_columns_do_not_mix(numbers: np.ndarray) -> None:
    before = numbers.copy()
    filled = carry(numbers)
    np.testing.assert_array_equal(numbers, before)
    measured = np.isfinite(numbers)
    np.testing.assert_array_equal(filled[measured], numbers[measured])
    for column in range(3):
        if measured[:, column].any():
            assert np.isin(filled[:, column], numbers[measured[:, column], column]).all()
        else:
            assert np.isnan(filled[:, column]).all()
