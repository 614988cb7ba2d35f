"""Who may run a stage, when machines share nothing but objects."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest

from components.core.errors import BadDataError, StorageError, UsageError
from components.core.exchange import open_exchange, read_content, write_content
from components.tracking.owner import owner_id
from pipelines.retraining import lease
from pipelines.retraining.lease import Holder, hold

RUN, STAGE = "r1", "train@fusion"
FOLDER = f"{RUN}/lease/{STAGE}/"
ELSEWHERE = Holder("other-host/boot/7/9", "pid:[1]", "aa")


@pytest.fixture
def runs(tmp_path):
    return open_exchange(str(tmp_path / "runs"))


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    monkeypatch.setenv("TAILWATCH_LEASE_S", "0.6")


def held_by(runs, holder, beat="1"):
    write_content(runs, f"{FOLDER}000001.json", json.dumps(asdict(holder)).encode())
    write_content(runs, f"{FOLDER}000001.beat", f"aa {beat}\n".encode())


def take(runs, is_done=lambda: False):
    return hold(runs, RUN, STAGE, is_done)


def generations(runs):
    return [name for name in runs.names(FOLDER) if name.endswith(".json")]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"owner": "a"}'], ids=["empty", "a list", "less"])
def test_a_lease_that_cannot_be_read_is_named(content, runs):
    write_content(runs, f"{FOLDER}000001.json", content)
    with pytest.raises(BadDataError, match=r"000001\.json cannot be read"), take(runs):
        pass


def test_it_is_given_back_and_taken_at_once(runs):
    with take(runs) as first:
        assert first is not None
    with take(runs) as second:
        assert second is not None
    assert generations(runs) == [f"{FOLDER}000001.json", f"{FOLDER}000002.json"]


def test_one_at_a_time(runs):
    at_work, most, order = 0, 0, []

    def work(k):
        nonlocal at_work, most
        with take(runs):
            at_work += 1
            most = max(most, at_work)
            time.sleep(0.05)
            order.append(k)
            at_work -= 1

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert sorted(order) == [0, 1, 2, 3]


def test_a_beat_that_stands_still_is_waited_for_and_then_taken_over(runs, caplog):
    held_by(runs, ELSEWHERE)
    with caplog.at_level("WARNING", "tailwatch"), take(runs) as taken:
        assert taken is not None
    assert f"{STAGE} is being run by process 7 of other-host: waiting for it" in caplog.text
    assert "process 7 of other-host, which gave no sign for 0.6 s: taking over" in caplog.text


@pytest.mark.parametrize(("own", "said"), [("6", "60"), ("600", "600")])
def test_a_holder_is_given_up_after_the_longer_patience(own, said, runs, monkeypatch, caplog):
    now_s = 0.0

    def sleep(seconds):
        nonlocal now_s
        now_s += seconds

    monkeypatch.setenv("TAILWATCH_LEASE_S", own)
    monkeypatch.setattr(lease.system, "monotonic_s", lambda: now_s)
    monkeypatch.setattr(lease, "time", SimpleNamespace(sleep=sleep))
    held_by(runs, replace(ELSEWHERE, patience_s=60.0))
    with take(runs) as taken:
        assert taken is not None
    assert now_s >= float(said)
    assert f"which gave no sign for {said} s: taking over" in caplog.text


def test_a_lease_tells_its_holders_patience(runs):
    with take(runs):
        held = json.loads(read_content(runs, f"{FOLDER}000001.json"))
    assert held["patience_s"] == 0.6


def test_a_lease_of_an_earlier_version_is_read(runs):
    held = asdict(ELSEWHERE)
    del held["patience_s"]
    write_content(runs, f"{FOLDER}000001.json", json.dumps(held).encode())
    with take(runs) as taken:
        assert taken is not None


def test_a_beat_that_moves_is_respected_until_the_stage_is_done(runs):
    held_by(runs, ELSEWHERE)
    ended = threading.Event()

    def beat():
        for k in range(20):
            write_content(runs, f"{FOLDER}000001.beat", b"aa %d\n" % k)
            time.sleep(0.1)
        ended.set()

    thread = threading.Thread(target=beat)
    thread.start()
    with take(runs, is_done=ended.is_set) as taken:
        assert taken is None
    thread.join()
    assert generations(runs) == [f"{FOLDER}000001.json"]


def test_a_dead_process_of_this_machine_is_not_waited_for(runs, monkeypatch, caplog):
    monkeypatch.setenv("TAILWATCH_LEASE_S", "600")
    dead = subprocess.run(
        [sys.executable, "-c", "from components.tracking.owner import owner_id; print(owner_id())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    held_by(runs, replace(ELSEWHERE, owner=dead, processes=lease._processes()))
    with take(runs) as taken:
        assert taken is not None
    assert "which is gone: taking over" in caplog.text


def test_a_process_number_of_another_container_says_nothing(runs):
    gone = Holder(owner_id().rsplit("/", 1)[0] + "/1", "pid:[of another container]", "aa")
    assert not gone.is_gone()
    assert replace(gone, processes=lease._processes()).is_gone()


def test_time_in_which_nothing_could_be_seen_does_not_count(monkeypatch):
    now_s = 0.0
    monkeypatch.setattr(lease.system, "monotonic_s", lambda: now_s)
    watch = lease._Watch(60.0)
    assert watch.still_s(1, b"x") == 0.0
    now_s = 1000.0
    assert watch.still_s(1, b"x") < 60.0
    for _ in range(20):
        now_s += watch.pause_s
        still_s = watch.still_s(1, b"x")
    assert still_s >= 60.0


def test_the_holder_notices_that_another_took_over(runs):
    lost = threading.Event()
    with take(runs) as held:
        held.call_on_loss(lost.set)
        held.check()
        write_content(runs, f"{FOLDER}000002.json", json.dumps(asdict(ELSEWHERE)).encode())
        assert lost.wait(10)
        with pytest.raises(StorageError, match=r"process 7 of other-host took over.*run it again"):
            held.check()


def test_a_loss_before_anything_was_to_be_done_about_it_is_not_missed(runs):
    noticed, told = threading.Event(), []
    with take(runs) as held:
        held.call_on_loss(noticed.set)
        write_content(runs, f"{FOLDER}000002.json", json.dumps(asdict(ELSEWHERE)).encode())
        assert noticed.wait(10)
        held.call_on_loss(lambda: told.append("lost"))
    assert told == ["lost"]


def test_a_holder_that_cannot_write_goes_on(runs, monkeypatch, caplog):
    with take(runs) as held:
        failed = threading.Event()

        def fail(*_):
            failed.set()
            raise StorageError("the bucket is away", wanted="it", remedy="wait")

        with monkeypatch.context() as patched:
            patched.setattr(lease, "write_content", fail)
            assert failed.wait(10)
        held.check()
    assert "the lease cannot be renewed now: the bucket is away" in caplog.text


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan"])
def test_patience_is_a_number_above_0(runs, monkeypatch, text):
    monkeypatch.setenv("TAILWATCH_LEASE_S", text)
    with pytest.raises(UsageError, match="TAILWATCH_LEASE_S"), take(runs):
        pass
