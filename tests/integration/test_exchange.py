"""What machines hand to each other through a bucket keeps the promises of a folder."""

import pytest

from components.core.errors import UsageError
from components.core.exchange import claim, open_exchange, read_content, write_content
from tests.components.core.test_exchange import (  # noqa: F401
    test_a_name_is_given_once,
    test_content_is_replaced,
    test_names_below_a_prefix,
    test_the_same_content_counts_as_put,
    test_what_is_not_there,
)
from tests.integration.conftest import BUCKET
from tests.integration.s3_server import Fault, puts_of


@pytest.fixture
def exchange(proxy):
    return open_exchange(f"s3://{BUCKET}/runs")


def test_an_answer_that_was_lost_is_made_good(exchange, proxy):
    proxy.faults.append(Fault("reset", 1, meant=puts_of("/runs/a")))
    assert claim(exchange, "a", b"one")
    assert not claim(exchange, "a", b"two")


@pytest.mark.parametrize("there", [None, b"one"], ids=["new", "another's"])
def test_no_name_is_given_where_it_could_be_given_twice(exchange, proxy, there):
    if there is not None:
        write_content(exchange, "a", there)
    proxy.faults.append(Fault("unconditional", meant=puts_of("/runs/a")))
    with pytest.raises(UsageError, match="conditional writes") as caught:
        claim(exchange, "a", b"two")
    assert caught.value.came.startswith(f"{proxy.url} refused")
    assert read_content(exchange, "a") == there
