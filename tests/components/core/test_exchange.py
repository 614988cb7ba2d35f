"""Objects that machines hand to each other, in a folder; tests/integration tries the same with a bucket."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from components.core.errors import UsageError
from components.core.exchange import claim, open_exchange, read_content, write_content


@pytest.fixture
def exchange(tmp_path):
    return open_exchange(str(tmp_path / "runs"))


def test_a_name_is_given_once(exchange):
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda k: claim(exchange, "a/b.json", b"%d" % k), range(8)))
    assert sum(won) == 1
    assert read_content(exchange, "a/b.json") == b"%d" % won.index(True)


def test_the_same_content_counts_as_put(exchange):
    assert claim(exchange, "a", b"one")
    assert claim(exchange, "a", b"one")
    assert not claim(exchange, "a", b"two")


def test_content_is_replaced(exchange):
    write_content(exchange, "a/b", b"one")
    write_content(exchange, "a/b", b"two")
    assert read_content(exchange, "a/b") == b"two"


def test_what_is_not_there(exchange):
    assert read_content(exchange, "a") is None
    assert exchange.names("a/") == []
    exchange.remove("a")


def test_names_below_a_prefix(exchange):
    for name in ("b/2", "b/1", "bc/3", "b/d/4"):
        write_content(exchange, name, b"")
    assert exchange.names("b/") == ["b/1", "b/2", "b/d/4"]


def test_nothing_half_written_is_listed(exchange, tmp_path):
    write_content(exchange, "b/1", b"")
    (tmp_path / "runs/b/.2.0a.tmp").write_bytes(b"half")
    assert exchange.names("b/") == ["b/1"]


def test_another_scheme_is_refused():
    with pytest.raises(UsageError, match=r"gs://x is no place for objects.*s3://bucket/prefix"):
        open_exchange("gs://x")
