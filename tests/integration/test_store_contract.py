"""What a store promises, on a folder and on a bucket."""

import multiprocessing

import boto3
import numpy as np
import pytest

from components.store.store import Store, object_name
from tests.integration.conftest import BUCKET

KEY, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture(params=["folder", "bucket"])
def where(request, tmp_path):
    if request.param == "folder":
        return str(tmp_path / "store")
    request.getfixturevalue("proxy")
    return f"s3://{BUCKET}/store"


@pytest.fixture
def open_store(where, tmp_path):
    """Opens the store as on one machine after another; each has a near folder of its own."""
    machines = iter(range(100))
    return lambda: Store.open(where, tmp_path / f"near-{next(machines)}", 1.0)


def put(store, value=1, key=KEY):
    return store.put("frames", key, {"x": np.full(10, value)}, {"status": "ok", "name": "ü"})


def never():
    raise AssertionError("made what is there")


def comes_back(open_store):
    made = put(open_store())
    for store in (open_store(), open_store()):
        taken = store.take("frames", KEY, never)
        assert (made.made, taken.made, taken.digest, taken.meta) == (True, False, made.digest, made.meta)
        np.testing.assert_array_equal(taken["x"], np.ones(10))
        np.testing.assert_array_equal(store.get("frames", KEY)["x"], np.ones(10))


def is_made_when_it_is_not_there(open_store):
    store = open_store()
    assert store.get("frames", KEY) is None
    assert store.take("frames", KEY, lambda: put(store)).made
    assert not store.take("frames", KEY, never).made


def the_first_writer_wins(open_store):
    put(open_store(), 1)
    put(open_store(), 2)
    assert open_store().get("frames", KEY)["x"][0] == 1


def is_listed(open_store):
    put(open_store())
    put(open_store(), key=OTHER)
    files = {file.name: file for file in open_store().backend.files()}
    assert set(files) == {object_name("frames", KEY), object_name("frames", OTHER)}
    assert all(file.size > 0 and file.used_s > 1e9 for file in files.values())


def is_removed(open_store):
    store = open_store()
    put(store)
    put(store, key=OTHER)
    for _ in range(2):
        store.backend.remove(object_name("frames", KEY))
    assert store.get("frames", KEY) is None
    assert open_store().get("frames", KEY) is None
    assert open_store().get("frames", OTHER) is not None


def a_failed_write_leaves_nothing(open_store):
    store = open_store()
    with pytest.raises(ZeroDivisionError), store.backend.create(object_name("frames", KEY)) as path:
        path.write_bytes(b"half")
        raise ZeroDivisionError
    assert list(store.backend.files()) == []
    assert [path for path in store.backend.near.root.rglob("*") if path.is_file()] == []


def names_the_kinds_apart(open_store):
    store = open_store()
    put(store)
    assert store.get("masks", KEY) is None


@pytest.mark.parametrize(
    "promise",
    [
        comes_back,
        is_made_when_it_is_not_there,
        the_first_writer_wins,
        is_listed,
        is_removed,
        a_failed_write_leaves_nothing,
        names_the_kinds_apart,
    ],
    ids=lambda promise: promise.__name__.replace("_", " "),
)
def test_an_object(promise, open_store):
    promise(open_store)


@pytest.mark.usefixtures("proxy")
def test_objects_of_a_clip_are_found_near_and_far_without_being_fetched(tmp_path):
    def machine(name):
        return Store.open(f"s3://{BUCKET}/store", tmp_path / name, 1.0)

    first, second = machine("first"), machine("second")
    torn, expired = "12" * 32, "34" * 32
    for key, clip in ((KEY, "one"), (OTHER, "two"), (torn, "two"), (expired, "one")):
        first.put("frames", key, {"x": np.ones(10)}, {"clip": clip})
    far = boto3.resource("s3").Bucket(BUCKET)
    far.put_object(Key=f"store/{object_name('frames', torn)}", Body=b"torn")
    far.delete_objects(Delete={"Objects": [{"Key": f"store/{object_name('frames', expired)}"}]})
    found = {"first": {KEY, expired}, "second": {KEY, torn}}
    for store, keys in ((first, found["first"]), (second, found["second"])):
        assert {key for _, key in store.made_from({"one"})} == keys
    assert list(second.backend.near.files()) == []
    for key in found["first"] | found["second"]:
        first.remove("frames", key)
    assert [key for _, key in second.made_from({"one", "two"})] == [OTHER]


def _put_together(store, value, barrier):
    barrier.wait()
    for number in range(10):
        put(store, value, key=f"{number:064x}")


def test_two_writers_at_once_leave_one_object_of_each_key(open_store):
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(2)
    writers = [context.Process(target=_put_together, args=(open_store(), value, barrier)) for value in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    store = open_store()
    assert len(list(store.backend.files())) == 10
    values = {float(np.unique(store.get("frames", f"{number:064x}")["x"]).item()) for number in range(10)}
    assert values <= {1.0, 2.0}
