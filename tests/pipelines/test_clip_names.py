"""A clip is recognised in every form in which it is written, and no other clip is taken for it."""

import csv
import io
import json

import pytest
from markupsafe import escape

from pipelines.clip_names import ClipNames, picture_name

SHA256 = "ab" * 32
ODD = 'stalking/Straße "7" & <b>.mp4'


def as_csv(text: str) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerow(["x", text, "y"])
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "clip_id", "named"),
    [
        pytest.param("stalking/a.mp4,walk", "stalking/a.mp4", True, id="in a table"),
        pytest.param("/data/stalking/a.mp4", "stalking/a.mp4", True, id="in a path"),
        pytest.param("non_stalking/a.mp4", "stalking/a.mp4", False, id="the end of another"),
        pytest.param("stalking/a.mp4_2", "stalking/a.mp4", False, id="the beginning of another"),
        pytest.param(f"x{SHA256}y", "stalking/a.mp4", True, id="by its digest"),
        pytest.param(f"{picture_name(ODD)}-frames.jpg", ODD, True, id="by its picture"),
        pytest.param(as_csv(ODD), ODD, True, id="quoted in a table"),
        pytest.param(json.dumps(ODD), ODD, True, id="escaped in JSON"),
        pytest.param(json.dumps(ODD, ensure_ascii=False), ODD, True, id="in our JSON"),
        pytest.param(str(escape(ODD)), ODD, True, id="escaped on a page"),
        pytest.param("nothing", ODD, False, id="nothing"),
    ],
)
def test_named(content, clip_id, named, tmp_path):
    names = ClipNames({clip_id: [SHA256]})
    assert names(content.encode()) is named
    (tmp_path / "file").write_text(content)
    assert names.in_file(tmp_path / "file") is named
    assert names.below(tmp_path) is named


def test_an_empty_file_and_a_broken_link_name_nobody(tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert not ClipNames({"a.mp4": []}).below(tmp_path)
