import pytest

from components.core import weights
from components.core.errors import BadDataError, StorageError, UsageError


@pytest.mark.parametrize("name", weights.WEIGHTS)
def test_every_pinned_file_is_installed_and_is_the_pinned_one(name):
    assert weights.locate(name).is_file()


def test_an_unknown_name_lists_the_known():
    with pytest.raises(UsageError, match="face_landmark"):
        weights.locate("no_such_network")


def test_another_file_is_refused_by_its_digest(tmp_path):
    path = tmp_path / "w.tflite"
    path.write_bytes(b"other")
    with pytest.raises(BadDataError, match="has the sha256"):
        weights.check_sha256(path, "0" * 64)


def test_a_missing_package_says_what_carries_it(monkeypatch):
    monkeypatch.setitem(
        weights.WEIGHTS, "gone", weights.ThirdParty("no-such-package", "x.tflite", "0", "MIT")
    )
    with pytest.raises(StorageError, match="the package no-such-package"):
        weights.locate("gone")
