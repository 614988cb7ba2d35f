"""What the report says of the clips."""

from components.datasets.clips import Label
from pipelines.reporting.data import data_section


def label(name: str, source: str, side: str) -> Label:
    return Label(name, "calm", (), source, side, "")


def test_a_source_on_several_sides_names_them_all_in_their_order():
    clips = [label("a", "cam", "test"), label("b", "cam", "train"), label("c", "door", "val")]
    section = data_section({clip.clip_id: clip for clip in clips}, ("calm",))
    assert [(row["source"], row["sides"]) for row in section["sources"]] == [
        ("cam", ["train", "test"]),
        ("door", ["val"]),
    ]
    assert section["torn"] == 1
