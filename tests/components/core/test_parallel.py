import os

import pytest

from components.core.errors import BadDataError, ResourceError
from components.core.parallel import map_items


def _square(x):
    return x * x


def _fail_at_three(x):
    if x == 3:
        raise BadDataError("three", wanted="another number", remedy="leave it out")
    return x


def _die(x):
    if x == 3:
        os._exit(9)
    return x


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_keep_the_order_of_the_items(workers):
    assert list(map_items(_square, range(20), label="squared", workers=workers)) == [x * x for x in range(20)]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_arrives_whole(workers):
    with pytest.raises(BadDataError, match=r"three.*leave it out"):
        list(map_items(_fail_at_three, range(6), label="done", workers=workers))


def test_a_killed_worker_is_told():
    with pytest.raises(ResourceError, match="worker process ended"):
        list(map_items(_die, range(6), label="done", workers=2))


def test_nothing_to_do_is_fine():
    assert list(map_items(_square, [], label="squared")) == []
