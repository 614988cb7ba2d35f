"""Groups of columns: every column is in its kind, every activation in one window."""

import numpy as np

from components.features.activation_layout import LOOKS, NUMBERS, blocks
from components.features.columns import COLUMNS
from components.features.groups import activation_groups, number_groups, single_numbers


def test_kinds_of_numbers_hold_what_they_say():
    groups = number_groups()
    kinds = ("nose (4)", "chin (4)", "eyes (8)", "mouth (8)", "angles (4)", "distance (1)")
    assert sorted(place for kind in kinds for place in groups[kind]) == list(range(29))
    assert groups["landmarks (24)"] == list(range(24))
    assert groups["all numbers (29)"] == list(range(29))
    assert [COLUMNS[place] for place in groups["nose (4)"]] == [
        "a_nose_x", "a_nose_y", "b_nose_x", "b_nose_y",
    ]  # fmt: skip
    assert single_numbers() == {name: [place] for place, name in enumerate(COLUMNS)}


def test_windows_are_the_blocks_that_the_model_takes():
    values = np.arange(NUMBERS)[None]
    groups = activation_groups()
    for look, block in zip(LOOKS, blocks(values), strict=True):
        np.testing.assert_array_equal(values[0, groups[look.network]], block.ravel())
        for k, window in enumerate(look.windows):
            np.testing.assert_array_equal(values[0, groups[f"{look.network}, {window}"]], block[0, k])
