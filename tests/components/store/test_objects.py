"""Damage anywhere in an object's file: found, or without effect; never another array, never a crash."""

import random

import numpy as np
import pytest

from components.core.errors import StorageError
from components.core.files import array_digest
from components.store.objects import DamagedObjectError, read_array, read_meta, read_object, write_object

ARRAYS = {
    "frames": np.arange(5 * 8 * 8 * 3, dtype=np.uint8).reshape(5, 8, 8, 3),
    "times_s": np.linspace(0, 1, 5),
}
META = {"digest": array_digest(*ARRAYS.values()), "status": "ok"}


@pytest.fixture
def path(tmp_path):
    write_object(tmp_path / "object.npz", ARRAYS, META)
    return tmp_path / "object.npz"


def read_or_refuse(path):
    """What a reader gets: nothing where damage was found."""
    try:
        found = {"meta": read_meta(path), **{name: read_array(path, name) for name in ARRAYS}}
        arrays, meta = read_object(path)
    except DamagedObjectError:
        return None
    assert meta == found["meta"]
    assert arrays.keys() == ARRAYS.keys()
    return found


def is_true(found):
    return found["meta"] == META and all(
        found[name].dtype == array.dtype and np.array_equal(found[name], array)
        for name, array in ARRAYS.items()
    )


def test_a_whole_object_is_read(path):
    assert is_true(read_or_refuse(path))


def test_a_flipped_bit_at_any_place_is_found_or_without_effect(path):
    draw = random.Random(27)
    content = path.read_bytes()
    refused = 0
    for place in range(len(content)):
        path.write_bytes(
            content[:place] + bytes([content[place] ^ 1 << draw.randrange(8)]) + content[place + 1 :]
        )
        found = read_or_refuse(path)
        assert found is None or is_true(found), place
        refused += found is None
    assert refused > 0.5 * len(content)


def test_a_file_cut_at_any_place_is_found(path):
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert read_or_refuse(path) is None


def test_overwritten_stretches_are_found_or_without_effect(path):
    draw = random.Random(27)
    content = path.read_bytes()
    for _ in range(1000):
        start, length = draw.randrange(len(content)), draw.choice((2, 4, 16, 64, 512))
        path.write_bytes(
            (content[:start] + draw.randbytes(length) + content[start + length :])[: len(content)]
        )
        found = read_or_refuse(path)
        assert found is None or is_true(found)


def test_arrays_that_are_whole_but_not_those_of_the_digest_are_found_by_a_full_read(path):
    write_object(path, {**ARRAYS, "times_s": np.zeros(5)}, META)
    assert read_array(path, "times_s")[1] == 0
    with pytest.raises(DamagedObjectError, match="the SHA-256 of its arrays"):
        read_object(path)


def test_pickled_objects_are_never_loaded(path):
    np.savez(path, __meta__=np.zeros(1, np.uint8), x=np.array([{}], dtype=object))
    with pytest.raises(DamagedObjectError):
        read_array(path, "x")


def test_a_file_that_cannot_be_opened_is_not_called_damaged(path, monkeypatch):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                held.append(path.open("rb"))
        with pytest.raises(StorageError, match="cannot be opened: Too many open files"):
            read_meta(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for stream in held:
            stream.close()


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.zeros((0, 4), np.float32), id="empty"),
        pytest.param(np.array(3.5), id="of no dimension"),
        pytest.param(np.array([["frame", ""]], "<U9"), id="text"),
        pytest.param(np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1), id="turned"),
        pytest.param(np.asfortranarray(np.arange(6.0).reshape(2, 3)), id="column by column"),
    ],
)
def test_any_array_is_read_as_it_was_written(tmp_path, array):
    write_object(tmp_path / "object.npz", {"array": array}, {"digest": array_digest(array)})
    for read in (read_array(tmp_path / "object.npz", "array"), np.load(tmp_path / "object.npz")["array"]):
        np.testing.assert_array_equal(read, array, strict=True)
