"""Entries of dvc.lock on their way from task to task."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.errors import BadDataError
from components.core.exchange import open_exchange, read_content, write_content
from pipelines.retraining import dvc_work, entries

ENTRY = {
    "cmd": "tailwatch train fusion",
    "deps": [{"path": "outs/ingest/labels.csv", "hash": "md5", "md5": "1e5", "size": 3}],
    "params": {"params.yaml": {"train": {"rate": 1e-06, "name": "on", "none": None}}},
    "outs": [{"path": "outs/train/fusion", "hash": "md5", "md5": "ab.dir", "size": 1, "nfiles": 2}],
}
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12)
DIGEST = st.from_regex(r"[0-9]{1,3}e[0-9]{1,6}|[0-9a-f]{32}(\.dir)?", fullmatch=True)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXT | DIGEST,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
FILES = st.lists(
    st.fixed_dictionaries({"path": TEXT.filter(bool), "hash": st.just("md5"), "md5": DIGEST}), max_size=3
)
ENTRIES = st.dictionaries(
    st.from_regex(r"[a-z]{1,6}(@[a-z0-9_.]{1,5})?", fullmatch=True),
    st.fixed_dictionaries(
        {
            "cmd": TEXT,
            "deps": FILES,
            "params": st.fixed_dictionaries({"params.yaml": st.dictionaries(TEXT, VALUE, max_size=3)}),
            "outs": FILES,
        }
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture
def runs(tmp_path):
    return open_exchange(str(tmp_path / "runs"))


def infinite(value):
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return True
    return False


@settings(max_examples=25, deadline=None)
@given(given=ENTRIES.filter(lambda found: not infinite(found)), order=st.randoms())
def test_entries_of_many_tasks_are_one_dvc_lock(tmp_path_factory, given, order):
    """What tasks publish in any order is the same file, and DVC reads in it what each of them wrote."""
    folder = tmp_path_factory.mktemp("lock")
    runs = open_exchange(str(folder / "runs"))
    names = list(given)
    order.shuffle(names)
    for name in names:
        entries.publish(runs, "r", name, given[name])
    merged = entries.published(runs, "r")
    assert merged == given
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        dvc_work._write_lock(merged)
        first = Path("dvc.lock").read_bytes()
        assert dvc_work._read_lock() == given
        dvc_work._write_lock({name: given[name] for name in names})
        assert Path("dvc.lock").read_bytes() == first


def test_what_was_published_first_counts(runs):
    other = {**ENTRY, "cmd": "another"}
    assert entries.publish(runs, "r", "train@fusion", ENTRY) == ENTRY
    assert entries.publish(runs, "r", "train@fusion", other) == ENTRY
    assert entries.find(runs, "r", "train@fusion") == ENTRY
    assert entries.find(runs, "other-run", "train@fusion") is None


def test_the_newest_of_any_run_is_remembered(runs):
    assert entries.latest(runs, "ingest") is None
    entries.remember(runs, "ingest", ENTRY)
    newer = {**ENTRY, "cmd": "another"}
    entries.remember(runs, "ingest", newer)
    assert entries.latest(runs, "ingest") == newer


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'"text"', b"\xff"])
def test_a_damaged_entry_is_an_error_but_a_damaged_hint_is_none(runs, content):
    for name in ("r/lock/ingest.json", "latest/ingest.json"):
        write_content(runs, name, content or b" ")
    with pytest.raises(BadDataError, match=r"r/lock/ingest.json cannot be read"):
        entries.find(runs, "r", "ingest")
    assert entries.latest(runs, "ingest") is None


def test_what_json_would_alter_is_refused(runs):
    entry = {**ENTRY, "params": {"params.yaml": {"classes": {1: "one"}}}}
    with pytest.raises(BadDataError, match=r"ingest in dvc.lock has values that JSON does not hold"):
        entries.publish(runs, "r", "ingest", entry)
    assert read_content(runs, "r/lock/ingest.json") is None


def test_the_digest_is_of_the_content(runs):
    assert entries.digest_of(ENTRY) == entries.digest_of(json.loads(json.dumps(ENTRY)))
    assert entries.digest_of(ENTRY) != entries.digest_of({**ENTRY, "cmd": "another"})
