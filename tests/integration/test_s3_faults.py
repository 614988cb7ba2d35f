"""A bucket that answers late, wrongly or not at all: bounded, clear, and nothing damaged is accepted."""

import logging

import boto3
import numpy as np
import pytest

from components.core import s3_client
from components.core.errors import BadDataError, StorageError, UsageError
from components.core.s3 import _LARGE, s3_folder
from components.datasets.source import open_root
from components.store.store import Store, object_name
from tests.integration.conftest import BUCKET
from tests.integration.s3_server import Fault, gets_of, puts_of

KEY = "ab" * 32
NAME = object_name("frames", KEY)
ARRAY = np.arange(100_000) % 251
CLIP = bytes(range(256)) * 2000


@pytest.fixture
def machine(tmp_path):
    """Opens the team's store on one machine after another."""
    machines = iter(range(100))
    return lambda: Store.open(f"s3://{BUCKET}/store", tmp_path / f"near-{next(machines)}", 1.0)


@pytest.fixture
def two_attempts(monkeypatch):
    """What is for ever needs no more to be told."""
    monkeypatch.setattr(s3_client, "ATTEMPTS", 2)
    return 2


def put(store):
    return store.put("frames", KEY, {"x": ARRAY}, {})


def never():
    raise AssertionError("made what is there")


def is_whole(store, make=never):
    return np.array_equal(store.take("frames", KEY, make)["x"], ARRAY)


def files_near(store):
    return [path for path in store.backend.near.root.rglob("*") if path.is_file()]


PASSING = [
    pytest.param("slow_down", 2, id="503 twice"),
    pytest.param("gone", 2, id="reset twice before an answer"),
    pytest.param("silent", 1, id="no answer once"),
]
PASSING_IN_THE_BODY = [
    pytest.param("reset", 1, id="reset in the middle of a body"),
    pytest.param("flip", 1, id="a body altered on the way"),
]
LASTING_IN_THE_BODY = [
    pytest.param("reset", "arrived damaged", id="always reset in the middle"),
    pytest.param("flip", "arrived damaged", id="always altered on the way"),
]
LASTING = [
    pytest.param("slow_down", "SlowDown", id="503 for ever"),
    pytest.param("gone", "could not be reached", id="gone"),
    pytest.param("silent", "(?i)timeout|timed out", id="no answer"),
]


@pytest.mark.parametrize(("kind", "times"), PASSING + PASSING_IN_THE_BODY)
def test_a_fetch_survives_what_passes(machine, proxy, kind, times):
    put(machine())
    proxy.faults.append(Fault(kind, times, meant=gets_of("store")))
    assert is_whole(machine())


@pytest.mark.parametrize(("kind", "times"), PASSING)
def test_a_put_survives_what_passes(machine, proxy, kind, times):
    proxy.faults.append(Fault(kind, times, meant=puts_of("store")))
    put(machine())
    assert is_whole(machine())


@pytest.mark.parametrize(("kind", "reason"), LASTING)
@pytest.mark.parametrize("step", ["fetch", "put", "list"])
def test_a_bucket_that_is_away_is_named_and_is_asked_a_few_times_only(
    machine, proxy, kind, reason, step, two_attempts
):
    if step == "fetch":
        put(machine())
    proxy.faults.append(Fault(kind))
    proxy.seen.clear()
    store = machine()
    steps = {
        "fetch": lambda: store.take("frames", KEY, never),
        "put": lambda: put(store),
        "list": lambda: list(store.backend.files()),
    }
    with pytest.raises(StorageError, match=reason) as failed:
        steps[step]()
    assert proxy.url in str(failed.value)
    assert ".." not in str(failed.value)
    assert failed.value.exit_code == 4
    assert len(proxy.seen) == two_attempts
    assert files_near(store) == []
    proxy.faults.clear()
    assert is_whole(store, lambda: put(store))
    assert is_whole(machine())


def test_an_object_that_always_arrives_altered_is_made_again(machine, proxy, caplog):
    put(machine())
    proxy.faults.append(Fault("flip", meant=gets_of("store")))
    store = machine()
    with caplog.at_level(logging.WARNING, "tailwatch"):
        assert is_whole(store, lambda: put(store))
    assert f"{store.backend.far.address(NAME)} arrived damaged" in caplog.text
    proxy.faults.clear()
    assert is_whole(machine())


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param({"reset": 3}, id="broken off each time"),
        pytest.param({"reset": 1, "flip": 2}, id="broken off once, altered twice"),
        pytest.param({"flip": 2, "reset": 1}, id="altered twice, broken off once"),
    ],
)
def test_a_network_that_fails_removes_no_object(machine, proxy, kinds):
    put(machine())
    proxy.faults += [Fault(kind, times, meant=gets_of("store")) for kind, times in kinds.items()]
    store = machine()
    with pytest.raises(StorageError, match="arrived damaged"):
        store.take("frames", KEY, never)
    assert files_near(store) == []
    assert is_whole(store)


def test_an_object_that_lies_damaged_in_the_bucket_is_made_again_once(machine, proxy, caplog):
    bucket = boto3.resource("s3").Bucket(BUCKET)
    bucket.put_object(Key=f"store/{NAME}", Body=b"no object")
    store = machine()
    with caplog.at_level(logging.WARNING, "tailwatch"):
        assert is_whole(store, lambda: put(store))
    assert "is damaged in the bucket" in caplog.text
    assert is_whole(machine())


def test_what_is_damaged_nearby_alone_is_fetched_again(machine, proxy):
    store = machine()
    put(store)
    before = boto3.resource("s3").Object(BUCKET, f"store/{NAME}").last_modified
    (store.backend.near.root / NAME).write_bytes(b"no object")
    assert store.get("frames", KEY) is None
    assert is_whole(store)
    assert boto3.resource("s3").Object(BUCKET, f"store/{NAME}").last_modified == before


def test_what_was_altered_while_it_was_sent_is_never_accepted(machine, proxy):
    proxy.faults.append(Fault("flip_sent", meant=puts_of("store")))
    first = machine()
    try:
        put(first)
    except StorageError:  # a server that looks at the checksum refuses
        assert files_near(first) == []
    proxy.faults.clear()
    second = machine()
    assert is_whole(second, lambda: put(second))
    assert is_whole(machine())


def test_a_server_without_conditions_is_asked_first(machine, proxy):
    proxy.faults.append(Fault("unconditional", meant=puts_of("store")))
    put(machine())
    proxy.seen.clear()
    put(machine())
    assert [line.split()[0] for line in proxy.seen] == ["PUT", "HEAD"]
    assert is_whole(machine())


def test_an_object_is_fetched_once_per_machine(machine, proxy):
    put(machine())
    store = machine()
    for _ in range(3):
        assert is_whole(store)
    assert len([line for line in proxy.seen if line.startswith("GET")]) == 1


def test_a_copy_that_rots_nearby_is_made_again_and_the_shared_one_stays(machine, proxy):
    put(machine())
    store = machine()
    assert is_whole(store)
    (copy,) = files_near(store)
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes(content)
    assert is_whole(store, lambda: put(store))
    assert is_whole(machine())


def test_a_bucket_that_does_not_exist_is_a_usage_error(proxy, tmp_path):
    store = Store.open("s3://nobodys/store", tmp_path, 1.0)
    for step in (lambda: store.take("frames", KEY, never), lambda: put(store)):
        with pytest.raises(UsageError, match=r"s3://nobodys/store/.* lies in a bucket"):
            step()


@pytest.mark.parametrize("gone_after", [None, 1, 3], ids=["whole", "gone at once", "gone half way"])
def test_a_large_file_is_sent_in_parts(proxy, tmp_path, gone_after, two_attempts, monkeypatch):
    monkeypatch.setenv(s3_client.PATIENCE_VARIABLE, "60")  # a busy machine takes a while over a whole part
    folder = s3_folder(f"s3://{BUCKET}/large")
    large, copy = tmp_path / "large", tmp_path / "copy"
    large.write_bytes(bytes(_LARGE) + b"end")
    if gone_after is not None:
        proxy.faults.append(
            Fault("gone", after=gone_after, meant=lambda request: request.command != "DELETE")
        )
        with pytest.raises(StorageError, match="could not be reached"):
            folder.upload(large, "object")
        proxy.faults.clear()
        assert list(folder.list()) == []
        assert boto3.client("s3").list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []
    assert folder.upload(large, "object")
    assert not folder.upload(large, "object")
    folder.download("object", copy)
    assert copy.read_bytes() == large.read_bytes()


@pytest.mark.parametrize(("kind", "times"), PASSING + PASSING_IN_THE_BODY)
def test_a_clip_is_fetched_whole(proxy, tmp_path, kind, times):
    boto3.client("s3").put_object(Bucket=BUCKET, Key="films/a.mp4", Body=CLIP)
    proxy.faults.append(Fault(kind, times, meant=gets_of("a.mp4")))
    assert open_root(f"s3://{BUCKET}/films", tmp_path).local("a.mp4").read_bytes() == CLIP


@pytest.mark.parametrize(("kind", "reason"), LASTING + LASTING_IN_THE_BODY)
def test_a_clip_that_cannot_be_fetched_is_no_bad_clip(proxy, tmp_path, kind, reason, two_attempts):
    boto3.client("s3").put_object(Bucket=BUCKET, Key="films/a.mp4", Body=CLIP)
    proxy.faults.append(Fault(kind, meant=gets_of("a.mp4")))
    with pytest.raises(StorageError, match=reason) as failed:
        open_root(f"s3://{BUCKET}/films", tmp_path).local("a.mp4")
    assert proxy.url in str(failed.value)
    assert not isinstance(failed.value, BadDataError)
    assert list(tmp_path.iterdir()) == []
    proxy.faults.clear()
    assert open_root(f"s3://{BUCKET}/films", tmp_path).local("a.mp4").read_bytes() == CLIP
