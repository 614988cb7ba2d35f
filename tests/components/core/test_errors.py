import pickle

import pytest

from components.core import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        pytest.param(errors.UsageError, 2, id="usage"),
        pytest.param(errors.BadDataError, 3, id="bad data"),
        pytest.param(errors.StorageError, 4, id="storage"),
        pytest.param(errors.ResourceError, 5, id="resource"),
        pytest.param(errors.FinalError, 42, id="final"),
    ],
)
def test_each_kind_has_its_exit_code_and_says_three_things(kind, code):
    error = kind("It is empty", wanted="a video", remedy="replace it")
    assert error.exit_code == code
    assert str(error) == "It is empty. Wanted: a video. To do: replace it."


def test_an_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(errors.BadDataError("a", wanted="b", remedy="c")))  # noqa: S301
    assert (type(error), error.came, error.wanted, error.remedy) == (errors.BadDataError, "a", "b", "c")
