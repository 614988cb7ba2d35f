"""What an adapter lists: names of spans, and labels in place of classes."""

import pytest

from components.datasets.listing import Entry, Listing, of_classes, relabelled


@pytest.mark.parametrize(
    ("start_s", "end_s", "clip_id"),
    [
        pytest.param(None, None, "a.mp4", id="all of it"),
        pytest.param(1.5, 30.0, "a.mp4#t=1.5,30", id="a span"),
        pytest.param(None, 0.000001, "a.mp4#t=,0.000001", id="to an end"),
        pytest.param(0.0, None, "a.mp4#t=0,", id="from a start"),
    ],
)
def test_a_span_is_part_of_the_name(start_s: float | None, end_s: float | None, clip_id: str) -> None:
    assert Entry("a.mp4", "calm", start_s=start_s, end_s=end_s).clip_id == clip_id


def test_classes_become_labels() -> None:
    listing = Listing((Entry("a", "Abuse"), Entry("b", "Normal"), Entry("c", "Arson")))
    mapped = relabelled(listing, {"Abuse": "Anomaly", "Arson": "Anomaly", "Arrest": "Anomaly"})
    assert [(entry.label, entry.class_name) for entry in mapped.entries] == [
        ("Anomaly", "Abuse"),
        ("Normal", ""),
        ("Anomaly", "Arson"),
    ]
    assert mapped.warnings == ("dataset.label_map names classes of no clip in use: Arrest",)


def test_classes_that_nobody_asks_for_are_left_out() -> None:
    entries, left_out = of_classes([Entry("b", "calm"), Entry("a", "calm"), Entry("c", "dance")], ("calm",))
    assert [entry.uri for entry in entries] == ["a", "b"]
    assert left_out == (("dance/", "1 clips of no class of dataset.classes or dataset.label_map"),)
