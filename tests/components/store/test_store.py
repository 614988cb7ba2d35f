"""Objects by key: what was put comes back, and damage or removal on the way costs one making."""

import logging
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from components.core.errors import UsageError
from components.store.s3 import SharedFolder
from components.store.store import Store, object_name

KEY = "ab" * 32
ARRAYS = {"frames": np.arange(300, dtype=np.uint8).reshape(3, 100), "times_s": np.arange(3.0)}


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
    path = next(store.backend.near.root.rglob("*.npz"))
    path.write_bytes(content)
    assert store.get("frames", KEY) is None
    assert store.put("frames", KEY, {"x": np.zeros(2)}, {}).made
    assert store.get("frames", KEY) is not None


class Maker:
    """Makes the object, and counts how often."""

    def __init__(self, store):
        self.store = store
        self.times = 0

    def __call__(self):
        self.times += 1
        return self.store.put("frames", KEY, ARRAYS, {"status": "ok"})


@pytest.fixture
def maker(store):
    return Maker(store)


def path_of(store) -> Path:
    return store.backend.near.root / object_name("frames", KEY)


def test_what_is_there_is_not_made(store, maker):
    made, taken = (store.take("frames", KEY, maker) for _ in range(2))
    assert (made.made, taken.made, maker.times) == (True, False, 1)
    assert taken.digest == made.digest
    assert taken.meta == made.meta
    np.testing.assert_array_equal(taken["frames"], ARRAYS["frames"])


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(lambda size: 0, id="first byte"),
        pytest.param(lambda size: size // 5, id="first member"),
        pytest.param(lambda size: size // 2, id="middle"),
        pytest.param(lambda size: size - 10, id="directory at the end"),
    ],
)
def test_a_damaged_object_is_made_again_and_named(store, maker, caplog, place):
    maker()
    flip(path_of(store), place(path_of(store).stat().st_size))
    with caplog.at_level(logging.WARNING, "tailwatch"):
        taken = store.take("frames", KEY, maker)
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(taken[name], array)
    assert maker.times == 2
    assert taken.made
    assert f"{path_of(store)} is damaged" in caplog.text
    assert store.get("frames", KEY).digest == taken.digest


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.unlink(), id="evicted"),
        pytest.param(lambda path: path.write_bytes(b""), id="emptied"),
        pytest.param(lambda path: flip(path, path.stat().st_size // 2), id="flipped"),
    ],
)
def test_what_goes_between_two_reads_is_made_again(store, maker, spoil):
    maker()
    taken = store.take("frames", KEY, maker)
    np.testing.assert_array_equal(taken["times_s"], ARRAYS["times_s"])
    spoil(path_of(store))
    np.testing.assert_array_equal(taken["frames"], ARRAYS["frames"])
    assert (taken.made, maker.times) == (True, 2)
    assert path_of(store).is_file()


def test_many_objects_can_be_held_at_once(store, maker):
    """An open file for each would pass the system's limit, which is often 1024."""
    import resource

    maker()
    limit = max(int(number) for number in os.listdir("/dev/fd")) + 16
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        held = [store.take("frames", KEY, maker) for _ in range(limit + 1)]
        assert all(taken["times_s"][2] == 2 for taken in held)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert maker.times == 1


def test_a_made_object_and_a_store_can_be_sent_to_another_process(tmp_path):
    for where in (str(tmp_path / "store"), "s3://bucket/store"):
        store = _sent(Store.open(where, tmp_path / "near", 1.0))
        assert store.backend.near.max_bytes == 1e9
    made = Maker(Store(tmp_path))()
    np.testing.assert_array_equal(_sent(made)["frames"], ARRAYS["frames"])


def _sent(value):
    return pickle.loads(pickle.dumps(value))  # noqa: S301


def test_a_root_is_a_folder_or_a_bucket(tmp_path):
    assert Store.open(str(tmp_path), tmp_path / "near", 1.0).backend.near.root == tmp_path
    shared = Store.open("s3://bucket/team/store/", tmp_path / "near", 1.0).backend
    assert isinstance(shared, SharedFolder)
    assert shared.far.address("frames/x") == "s3://bucket/team/store/frames/x"
    assert shared.near.root == tmp_path / "near"


@pytest.mark.parametrize("root", ["ftp://host/store", "s3://", "https://bucket/x"])
def test_other_roots_are_refused(tmp_path, root):
    with pytest.raises(UsageError, match="The store's root is"):
        Store.open(root, tmp_path, 1.0)


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
    path_of(store).write_bytes(b"torn")
    assert ("frames", KEY) in set(store.made_from({"two"})), "a damaged one does not say of which it is"
    store.remove("frames", KEY)
    store.remove("frames", KEY)
    assert (store.has("frames", KEY), store.has("masks", other)) == (False, True)
