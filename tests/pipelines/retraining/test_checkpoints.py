"""Checkpoints that outlive the machine on which they were written."""

import json
import threading

import pytest

from components.core.errors import StorageError
from pipelines.retraining import checkpoints
from pipelines.retraining.checkpoints import Mirror

PREFIX = "r/checkpoint/train@fusion/"


@pytest.fixture
def here(tmp_path):
    folder = tmp_path / "work/.tailwatch/checkpoints"
    folder.mkdir(parents=True)
    return folder


def write(here, training, step):
    folder = here / training
    folder.mkdir(exist_ok=True)
    for old in folder.glob("step-*"):
        old.unlink()
    (folder / f"step-{step}.npz").write_bytes(b"arrays of %d" % step)
    (folder / "state.json").write_text(json.dumps({"arrays": f"step-{step}.npz"}))


def read(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_another_machine_finds_what_one_left(here, runs, tmp_path):
    mirror = Mirror(here, runs, PREFIX)
    write(here, "holdout", 1)
    write(here, "fold", 1)
    mirror.send()
    write(here, "holdout", 2)
    mirror.send()
    other = tmp_path / "other"
    Mirror(other, runs, PREFIX).fetch()
    assert read(other) == read(here)
    assert len(runs.names(PREFIX)) == 4


def test_a_training_that_was_finished_is_forgotten(here, runs, tmp_path):
    write(here, "holdout", 1)
    Mirror(here, runs, PREFIX).send()
    later = Mirror(tmp_path / "later", runs, PREFIX)
    later.fetch()
    for path in (tmp_path / "later/holdout").iterdir():
        path.unlink()
    later.send()
    assert runs.names(PREFIX) == []


def test_a_stage_that_is_done_leaves_none(here, runs):
    mirror = Mirror(here, runs, PREFIX)
    write(here, "holdout", 1)
    mirror.send()
    mirror.remove()
    assert runs.names("r/") == []


def test_what_has_not_changed_is_not_sent_again(here, runs, monkeypatch):
    mirror = Mirror(here, runs, PREFIX)
    write(here, "holdout", 1)
    mirror.send()
    monkeypatch.setattr(type(runs), "replace", None)
    mirror.send()


@pytest.mark.parametrize(
    "left",
    [
        pytest.param({"a/state.json": b'{"arrays": "gone.npz"}'}, id="its arrays are gone"),
        pytest.param({"a/state.json": b"{"}, id="its state is damaged"),
        pytest.param({"a/step-1.npz": b"x"}, id="its state is gone"),
        pytest.param({"a/state.json": b'{"arrays": "../../x"}'}, id="it names a file elsewhere"),
    ],
)
def test_what_cannot_be_gone_on_from_is_not_fetched(here, runs, tmp_path, left):
    for name, content in left.items():
        (tmp_path / "object").write_bytes(content)
        runs.replace(tmp_path / "object", f"{PREFIX}{name}")
    Mirror(here, runs, PREFIX).fetch()
    assert read(here) == {}


def test_it_is_sent_while_the_stage_is_at_work_and_once_more_after_it(here, runs, monkeypatch):
    monkeypatch.setattr(checkpoints, "_LOOK_EVERY_S", 0.01)
    sent = threading.Event()
    mirror = Mirror(here, runs, PREFIX)
    send = mirror.send

    def telling():
        send()
        if runs.names(PREFIX):
            sent.set()

    monkeypatch.setattr(mirror, "send", telling)
    with pytest.raises(SystemExit), mirror.sending():
        write(here, "holdout", 1)
        assert sent.wait(10)
        write(here, "holdout", 2)
        raise SystemExit(143)
    assert f"{PREFIX}holdout/step-2.npz" in runs.names(PREFIX)


def test_a_place_that_is_away_does_not_end_the_stage(here, runs, monkeypatch, caplog):
    def away(*_):
        raise StorageError("the bucket is away", wanted="it", remedy="wait")

    monkeypatch.setattr(type(runs), "replace", away)
    write(here, "holdout", 1)
    with Mirror(here, runs, PREFIX).sending():
        pass
    assert "the checkpoint could not be brought to safety now: the bucket is away" in caplog.text
