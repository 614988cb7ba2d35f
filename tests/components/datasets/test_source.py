"""Data sets in a folder and in an object store."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from components.core import s3_client
from components.core.errors import BadDataError, StorageError, UsageError
from components.datasets.source import open_root


def test_a_folder_is_listed_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b/2.mp4", "b/10.mp4", "a.mp4", ".hidden/c.mp4", "b/.d.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert open_root(str(tmp_path)).list() == ["a.mp4", "b/10.mp4", "b/2.mp4"]


def test_a_link_to_a_folder_above_ends(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.mp4").touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert open_root(str(tmp_path)).list() == ["a/x.mp4"]


NO_FILE = "not a file: a pipe, a socket or a broken link"


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").touch()
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "dangling.mp4").symlink_to("gone.mp4")
    (tmp_path / "device.mp4").symlink_to("/dev/null")
    (tmp_path / "itself.mp4").symlink_to("itself.mp4")
    source = open_root(str(tmp_path))
    assert source.list() == ["x.mp4"]
    assert source.left_out() == {
        "dangling.mp4": NO_FILE,
        "device.mp4": NO_FILE,
        "itself.mp4": "not a file: Too many levels of symbolic links",
        "pipe.mp4": NO_FILE,
    }


def test_what_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    for name in ("x.mp4", "shut.mp4"):
        (tmp_path / name).touch()
    scandir = os.scandir

    def refusing(folder: Path) -> object:
        if folder.name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    monkeypatch.setattr(os, "access", lambda path, mode: os.fspath(path) != str(tmp_path / "shut.mp4"))
    source = open_root(str(tmp_path))
    assert source.list() == ["x.mp4"]
    assert source.left_out() == {
        "locked/": "a folder that cannot be read: Permission denied",
        "shut.mp4": "a file that may not be read",
    }


@pytest.mark.parametrize("uri", ["../secret", "/etc/passwd", "a/../../secret", "a\0b"])
def test_nothing_outside_the_data_set_is_read(tmp_path: Path, uri: str) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "secret").touch()
    with pytest.raises(BadDataError, match=r"does not lie inside the data set.*dataset\.options\.table"):
        open_root(str(tmp_path / "set")).local(uri)


def test_sizes_are_told_of_files_and_of_objects(bucket: object, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"four")
    bucket.put_object(Key="set/a.mp4", Body=b"four")
    for source in (open_root(str(tmp_path)), open_root("s3://films/set", tmp_path / "fetched")):
        assert source.size("a.mp4") == 4
        with pytest.raises(BadDataError, match=r"no\.mp4 is not"):
            source.size("no.mp4")
    assert not (tmp_path / "fetched").exists()


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"a\.mp4 is not in the data set"):
        open_root(str(tmp_path)).local("a.mp4")


@pytest.mark.parametrize("root", ["ftp://a/b", "s3://", "/no/such/folder"])
def test_roots_that_cannot_be_meant(root: str) -> None:
    with pytest.raises(UsageError):
        open_root(root)


@pytest.fixture
def bucket(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    for name, value in {
        "AWS_ENDPOINT_URL": s3_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = boto3.resource("s3").Bucket("films")
    bucket.create()
    yield bucket
    bucket.objects.delete()
    bucket.delete()


def test_objects_are_listed_below_the_prefix(bucket: object, tmp_path: Path) -> None:
    for key in ("set/b.mp4", "set/a/c d.mp4", "set/.dvc/x", "set/a/", "settee/no.mp4"):
        bucket.put_object(Key=key, Body=b"x")
    assert open_root("s3://films/set/", tmp_path).list() == ["a/c d.mp4", "b.mp4"]


def test_an_object_is_fetched_once_and_again_when_it_changes(bucket: object, tmp_path: Path) -> None:
    bucket.put_object(Key="set/a.mp4", Body=b"first")
    root = open_root("s3://films/set", tmp_path / "fetched")
    first = root.local("a.mp4")
    before = first.stat().st_mtime_ns
    assert first.read_bytes() == b"first"
    assert root.local("a.mp4") == first
    assert first.stat().st_mtime_ns == before
    bucket.put_object(Key="set/a.mp4", Body=b"second")
    assert root.local("a.mp4").read_bytes() == b"second"
    assert not list((tmp_path / "fetched").glob(".*"))


def test_frames_in_a_bucket_are_refused(bucket: object, tmp_path: Path) -> None:
    bucket.put_object(Key="a_1.png", Body=b"x")
    with pytest.raises(UsageError, match=r"s3://films/a_\*\.png stands for many files.*aws s3 sync"):
        open_root("s3://films", tmp_path).local("a_*.png")


def test_what_the_checksum_does_not_agree_with_is_never_accepted(bucket: object, tmp_path: Path) -> None:
    bucket.put_object(Key="a.mp4", Body=b"first", Metadata={"sha256": "0" * 64})
    with pytest.raises(StorageError, match=r"s3://films/a\.mp4 arrived damaged"):
        open_root("s3://films", tmp_path).local("a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_an_object_that_is_not_there(bucket: object, tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"s3://films/no\.mp4 is not there"):
        open_root("s3://films", tmp_path).local("no.mp4")


def test_a_store_that_is_down_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_client, "ATTEMPTS", 1)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match=r"s3://films/ could not be reached at http://127\.0\.0\.1:9"):
        open_root("s3://films", tmp_path).list()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_a_server_without_its_scheme_is_a_usage_error(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv(variable, "minio:9000")
    with pytest.raises(UsageError, match=rf"^{variable} is minio:9000\. Wanted: an address with its scheme"):
        open_root("s3://films", tmp_path).list()
