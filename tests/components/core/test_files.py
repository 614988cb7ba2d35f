import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core import files
from components.core.errors import BadDataError


def test_a_failed_write_leaves_the_old_file_and_no_residue(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError, match="torn"), files.atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("torn")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_writers_with_one_process_id_do_not_meet(tmp_path, monkeypatch):
    monkeypatch.setattr("os.getpid", lambda: 1)
    with files.atomic_path(tmp_path / "a") as first, files.atomic_path(tmp_path / "a") as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert (tmp_path / "a").read_text() == "first"


def test_nan_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [pytest.param(None, "is not there", id="missing"), pytest.param("{", "is not JSON", id="torn")],
)
def test_read_json_says_what_is_wrong(tmp_path, content, message):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadDataError, match=message):
        files.read_json(path)


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_digest_ignores_the_order_of_keys(mapping):
    assert files.digest(mapping) == files.digest(dict(reversed(mapping.items())))


def test_file_sha256_is_the_files(tmp_path):
    path = tmp_path / "b"
    path.write_bytes(b"abc" * 1_000_000)
    assert files.file_sha256(path) == hashlib.sha256(b"abc" * 1_000_000).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(np.arange(6, dtype=np.int64), id="shape"),
        pytest.param(np.arange(6, dtype=np.float64).reshape(2, 3), id="type"),
        pytest.param(np.arange(1, 7, dtype=np.int64).reshape(2, 3), id="values"),
    ],
)
def test_array_digest_tells_arrays_apart(other):
    array = np.arange(6, dtype=np.int64).reshape(2, 3)
    assert files.array_digest(array) == files.array_digest(np.asfortranarray(array))
    assert files.array_digest(array) != files.array_digest(other)
