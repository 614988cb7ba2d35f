"""What is written down of scored clips, and read again."""

import json
import logging
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from components.core import system
from components.core.errors import UsageError
from components.features.columns import COLUMNS
from components.serving import score_log
from components.serving.predictor import load
from components.serving.score_log import append, count_lines, drop_lines, means, read, scores_place

ROW = {"video": "0" * 64, "bundle": "b", "score": 0.8, "coverage": 0.9, "numbers": {}}
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def s3_prefix(s3_url, monkeypatch):
    import boto3

    keys = {"AWS_ENDPOINT_URL": s3_url, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    for name, value in (keys | {"AWS_DEFAULT_REGION": "us-east-1"}).items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="scores")
    yield "s3://scores"
    bucket = boto3.resource("s3").Bucket("scores")
    bucket.objects.all().delete()
    bucket.delete()


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path):
    if request.param == "folder":
        return str(tmp_path / "scores")
    return f"{request.getfixturevalue('s3_prefix')}/scores"


def at(monkeypatch, moment):
    monkeypatch.setattr(system, "utc_now", lambda: moment)


def test_rows_are_read_again_within_their_days(place, monkeypatch):
    for days, video in ((40, "old"), (10, "recent"), (0, "new")):
        at(monkeypatch, NOW - timedelta(days=days))
        append(place, ROW | {"video": video})
    at(monkeypatch, NOW)
    assert {row["video"] for row in read(place, 30)} == {"recent", "new"}
    assert {row["schema"] for row in read(place, 30)} == {1}


DAMAGED = {
    "no json": "no json",
    "cut off": '{"schema": 1, "time": "2026-11-21T',
    "another schema": {"schema": 2},
    "a list": ["list"],
    "time": {"time": 5},
    "no video": {"video": None},
    "numbers": {"numbers": [1.0]},
    "a number": {"numbers": {"b_yaw": "12"}},
    "coverage": {"coverage": "0.9"},
    "score": {"score": [0.8]},
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_lines_that_are_no_scored_clips_are_left_out_and_told(damage, tmp_path, caplog):
    append(str(tmp_path), ROW)
    (path,) = tmp_path.iterdir()
    line = path.read_text()
    if isinstance(damage, dict):
        damage = json.dumps(json.loads(line) | damage)
    path.write_text(f"{damage if isinstance(damage, str) else json.dumps(damage)}\n{line}")
    assert len(list(read(str(tmp_path), 30))) == 1
    assert "1 lines that are no scored clips" in caplog.text


def test_what_cannot_be_written_is_told_and_ends_nothing(tmp_path, caplog):
    (tmp_path / "scores").write_text("a file, no folder")
    with caplog.at_level(logging.WARNING, "tailwatch"):
        append(str(tmp_path / "scores"), ROW)
    assert "was not written down" in caplog.text


def test_a_bucket_that_is_silent_keeps_no_verdict_waiting(monkeypatch, caplog):
    answered, sent = threading.Event(), []

    def send(*_):
        answered.wait(60)
        sent.append(True)

    monkeypatch.setattr(score_log, "WAIT_S", 0.1)
    monkeypatch.setattr(score_log, "_send", send)
    append("s3://team/scores", ROW)
    assert not sent
    assert "s3://team/scores takes long" in caplog.text
    answered.set()


@pytest.mark.parametrize(
    ("given", "project", "wanted"),
    [
        pytest.param("", True, "{root}/.tailwatch/scores", id="a project"),
        pytest.param("", False, None, id="no project"),
        pytest.param("none", True, None, id="switched off"),
        pytest.param("s3://team/scores", False, "s3://team/scores", id="a bucket"),
    ],
)
def test_where_they_are_written(given, project, wanted, tmp_path, monkeypatch):
    monkeypatch.setenv("TAILWATCH_SCORES", given)
    if project:
        (tmp_path / ".tailwatch").mkdir()
    assert scores_place(tmp_path) == (wanted and wanted.format(root=tmp_path))


def test_another_scheme_is_refused_and_makes_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TAILWATCH_SCORES", "gs://team/scores")
    with pytest.raises(UsageError, match="TAILWATCH_SCORES is gs://team/scores"):
        scores_place(tmp_path)


def test_means_are_of_what_was_measured():
    numbers, measured = np.zeros((3, 29)), np.zeros((3, 29), bool)
    numbers[:, 0], measured[:2, 0] = (1.0, 2.0, 100.0), True
    found = means(numbers, measured)
    assert tuple(found) == COLUMNS
    assert (found[COLUMNS[0]], found[COLUMNS[1]]) == (1.5, None)
    assert means(None, None) == {}


def test_a_score_leaves_numbers_and_a_digest_alone(bundle_folder, film, tmp_path, monkeypatch):
    monkeypatch.setenv("TAILWATCH_SCORES", str(tmp_path))
    scorer = load(bundle_folder)
    score = scorer.score(film)
    (row,) = read(str(tmp_path), 1)
    assert set(row) == {
        *("schema", "time", "video", "bundle", "model", "label", "score", "coverage", "numbers"),
    }
    assert (row["score"], row["coverage"], row["label"]) == (score.probability, score.coverage, "stalking")
    assert row["bundle"] == scorer.bundle.digest
    assert film.name not in json.dumps(row)


def test_lines_that_name_a_clip_go_and_all_others_stay_as_they_are(tmp_path):
    append(str(tmp_path), ROW)
    append(str(tmp_path), ROW | {"video": "a" * 64})
    (path,) = tmp_path.iterdir()
    strange = [b'{"schema": 1, "vid', b"\xff\xfe", b"\x0c\x85", b"torn off: " + b"a" * 64, b"no end"]
    path.write_bytes(path.read_bytes() + b"\r\n".join(strange))
    lines = path.read_bytes().split(b"\n")

    def names(line):
        return b"a" * 64 in line

    assert count_lines(path, names) == 2
    drop_lines(path, names)
    assert path.read_bytes() == b"\n".join(line for line in lines if not names(line))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*tmp_path.iterdir()] == [path]
