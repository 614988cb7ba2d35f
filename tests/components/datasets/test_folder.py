"""The folder adapter: what is a clip, of which class and source, and what is left out."""

import os
from pathlib import Path

import pytest

from components.core.errors import BadDataError
from components.datasets.adapter import Adapter
from components.datasets.listing import Entry
from components.datasets.registry import ADAPTERS, describe_adapters, list_clips
from components.datasets.source import open_root

CLASSES = ("calm", "fight")


def touch(root: Path, *uris: str) -> Path:
    for uri in uris:
        (root / uri).parent.mkdir(parents=True, exist_ok=True)
        (root / uri).write_bytes(b"x")
    return root


def listed(root: Path, table: str | None = None) -> object:
    if table is not None:
        (root / "clips.csv").write_text(table, encoding="utf-8")
    return list_clips(open_root(str(root)), "folder", CLASSES)


def test_class_is_the_folder(tmp_path: Path) -> None:
    touch(tmp_path, "fight/b.mp4", "fight/deep/a.MKV", "calm/c.avi")
    listing = listed(tmp_path)
    assert [(entry.uri, entry.label) for entry in listing.entries] == [
        ("calm/c.avi", "calm"),
        ("fight/b.mp4", "fight"),
        ("fight/deep/a.MKV", "fight"),
    ]
    assert "3 of 3 clips name no source: each video is its own group" in listing.warnings[0]


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    touch(tmp_path, "fight/a.mp4", "walk/b.mp4", "walk/c.mp4", "d.mp4", "fight/notes.txt", ".git/e.mp4")
    assert listed(tmp_path).left_out == (
        ("./", "1 videos in a folder that is no class of dataset.classes"),
        ("walk/", "2 videos in a folder that is no class of dataset.classes"),
        ("fight/notes.txt", "not a video by its name"),
    )


def test_a_name_that_is_no_text_is_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "fight/a.mp4")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/fight/\xff.mp4")).write_bytes(b"x")
    listing = listed(tmp_path)
    assert [entry.uri for entry in listing.entries] == ["fight/a.mp4"]
    assert listing.left_out == ((r"fight/\udcff.mp4", "its name is not UTF-8"),)


def test_the_table_says_label_source_and_split(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.mp4", "x/b.mp4", "x/c.mp4")
    table = "clip,label,source,split\nx/b.mp4,calm,film-2,test\nx/a.mp4,fight,film-1,train\n"
    listing = listed(tmp_path, table)
    assert listing.entries == (
        Entry("x/a.mp4", "fight", "film-1", "train"),
        Entry("x/b.mp4", "calm", "film-2", "test"),
    )
    assert listing.left_out == (("x/c.mp4", "not named in clips.csv"),)
    assert listing.warnings == ()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param("clip,label\nno.mp4,calm\n", "clips.csv: no.mp4 is not there", id="no such file"),
        pytest.param("clip,label\n../a.mp4,calm\n", r"\.\./a.mp4 is not there", id="outside the data set"),
        pytest.param("clip,label\na.mp4,\n", "a.mp4 has no label", id="no label"),
        pytest.param("clip\na.mp4\n", "also label", id="no column of labels"),
        pytest.param("clip,label\na.mp4\n", "a.mp4 has no label", id="a row cut short"),
        pytest.param("label,clip\ncalm,a.mp4\ncalm\n", "clips.csv: row 2 .* names no clip", id="no clip"),
        pytest.param(
            "clip,label,source\na.mp4,calm,1\na.mp4,calm,2\n", "a.mp4 has two sources", id="two sources"
        ),
    ],
)
def test_a_table_that_cannot_be_right(tmp_path: Path, table: str, message: str) -> None:
    touch(tmp_path, "a.mp4")
    with pytest.raises(BadDataError, match=message):
        listed(tmp_path, table)


@pytest.mark.parametrize("table", [None, "clip,label\nfight/a.mp4,fight\nfight/gone.mp4,fight\n"])
def test_a_broken_link_is_left_out(tmp_path: Path, table: str | None) -> None:
    touch(tmp_path, "fight/a.mp4")
    (tmp_path / "fight" / "gone.mp4").symlink_to("nowhere")
    listing = listed(tmp_path, table)
    assert [entry.uri for entry in listing.entries] == ["fight/a.mp4"]
    assert ("fight/gone.mp4", "not a file: a pipe, a socket or a broken link") in listing.left_out


def test_a_table_that_is_a_broken_link_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "fight/a.mp4")
    (tmp_path / "clips.csv").symlink_to("nowhere")
    with pytest.raises(BadDataError, match=r"clips\.csv: not a file"):
        listed(tmp_path)


def test_columns_that_nothing_reads_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    table = "clip,label,source,fps,notes\na.mp4,calm,film,1,2\n"
    assert listed(tmp_path, table).warnings == ("clips.csv: these columns are not used: fps, notes",)


def test_a_table_may_name_a_clip_twice_alike(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    assert len(listed(tmp_path, "clip,label\na.mp4,calm\n./a.mp4,calm\n").entries) == 1


def test_every_adapter_is_there_and_described() -> None:
    assert [row["adapter"] for row in describe_adapters()] == ADAPTERS.names()
    assert all(isinstance(ADAPTERS.get(name), Adapter) for name in ADAPTERS.names())
