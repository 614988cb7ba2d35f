"""The table adapter: spans, and what cannot be right."""

from pathlib import Path

import pytest

from components.core.errors import BadDataError, UsageError
from components.datasets.listing import Listing
from components.datasets.registry import list_clips
from components.datasets.source import open_root


def listed(root: Path, table: str, name: str = "clips.csv") -> Listing:
    (root / "a.mp4").write_bytes(b"x")
    (root / name).write_text(table, encoding="utf-8")
    return list_clips(open_root(str(root)), "csv", ("calm", "fight"), {"table": name})


def test_one_video_may_hold_several_clips(tmp_path: Path) -> None:
    rows = "a.mp4,calm,cam,,,10\na.mp4,fight,cam,,10,12.5\na.mp4,calm,cam,,12.5,\n"
    entries = listed(tmp_path, f"clip,label,source,split,start_s,end_s\n{rows}", "labels of all.csv").entries
    assert [(entry.start_s, entry.end_s, entry.label) for entry in entries] == [
        (None, 10.0, "calm"),
        (10.0, 12.5, "fight"),
        (12.5, None, "calm"),
    ]
    assert len({entry.clip_id for entry in entries}) == 3


def test_clips_of_one_video_are_one_group_where_no_source_is_named(tmp_path: Path) -> None:
    listing = listed(tmp_path, "clip,label,start_s,end_s\na.mp4,calm,,10\na.mp4,fight,10,\na.mp4,calm,10,\n")
    assert {entry.group for entry in listing.entries} == {"a.mp4"}
    assert listing.warnings[0].startswith("2 of 2 clips name no source: each video is its own group")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("a.mp4,calm,soon,", "a.mp4 has the start_s 'soon'.*seconds from 0 on", id="no number"),
        pytest.param("a.mp4,calm,nan,", "start_s 'nan'", id="not a number"),
        pytest.param("a.mp4,calm,-1,", "start_s '-1'", id="before the video"),
        pytest.param("a.mp4,calm,3,3", "ends at 3 s, not behind its start", id="empty"),
    ],
)
def test_a_span_that_cannot_be_right(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(BadDataError, match=message):
        listed(tmp_path, f"clip,label,start_s,end_s\n{row}\n")


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"no\.csv is not in the data set"):
        list_clips(open_root(str(tmp_path)), "csv", ("calm",), {"table": "no.csv"})


@pytest.mark.parametrize(
    ("adapter", "options", "message"),
    [
        pytest.param("csv", {"tabel": "a"}, "dataset.options.tabel is not known.*one of table", id="csv"),
        pytest.param("folder", {"table": "a"}, "dataset.options.table is not known", id="folder has none"),
        pytest.param("csv", {"table": 5}, "dataset.options.table is 5.*type str", id="another type"),
    ],
)
def test_options_are_checked(tmp_path: Path, adapter: str, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list_clips(open_root(str(tmp_path)), adapter, ("calm",), options)
