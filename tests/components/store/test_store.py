import numpy as np
import pytest

from components.store.store import Store

KEY = "ab" * 32


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def test_what_was_put_comes_back(store):
    put = store.put("frames", KEY, {"frames": np.arange(6, dtype=np.uint8)}, {"fps": "30000/1001"})
    got = store.get("frames", KEY)
    assert (put.made, got.made) == (True, False)
    assert got.digest == put.digest
    assert got.meta["fps"] == "30000/1001"
    np.testing.assert_array_equal(got["frames"], np.arange(6))


def test_an_object_that_is_there_stays(store):
    store.put("frames", KEY, {"x": np.zeros(2)}, {})
    store.put("frames", KEY, {"x": np.ones(2)}, {})
    np.testing.assert_array_equal(store.get("frames", KEY)["x"], np.zeros(2))


def test_equal_content_gives_equal_bytes(tmp_path):
    for name in ("a", "b"):
        Store(tmp_path / name).put("frames", KEY, {"y": np.ones(3), "x": np.zeros(2)}, {"n": 1})
    first, second = (next((tmp_path / name).rglob("*.npz")).read_bytes() for name in ("a", "b"))
    assert first == second


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04torn", b"no archive"], ids=["empty", "torn", "other"])
def test_an_unreadable_object_counts_as_not_there(store, content):
    store.put("frames", KEY, {"x": np.zeros(2)}, {})
    path = next(store.root.rglob("*.npz"))
    path.write_bytes(content)
    assert store.get("frames", KEY) is None
    assert store.put("frames", KEY, {"x": np.zeros(2)}, {}).made
    assert store.get("frames", KEY) is not None


def test_pickled_objects_are_never_loaded(store):
    with pytest.raises((ValueError, TypeError)):
        store.put("frames", KEY, {"x": np.array([object()])}, {})
        _ = store.get("frames", KEY)["x"]


def test_objects_are_found_by_the_clip_that_they_were_made_from(store):
    other = KEY[::-1]
    store.put("frames", KEY, {"x": np.zeros(2)}, {"clip": "one"})
    store.put("masks", other, {"x": np.zeros(2)}, {"clip": "two"})
    store.put("tensors", KEY, {"x": np.zeros(2)}, {})
    assert set(store.made_from({"one"})) == {("frames", KEY), ("tensors", KEY)}, "unlabelled ones count too"
    store.remove("frames", KEY)
    store.remove("frames", KEY)
    assert (store.has("frames", KEY), store.has("masks", other)) == (False, True)
