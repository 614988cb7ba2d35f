"""Parts share no clip, and together have them all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import UsageError
from components.datasets.clips import Clip
from pipelines.part import Part, parse_part

VIDEOS = st.lists(st.integers(1, 10**6), max_size=40)  # sizes; each video has one to three clips
COUNTS = st.integers(1, 12)


def clips_of(sizes):
    return [
        Clip(f"{video}-{k}", str(video), None, None, f"{7919 * video:064x}", size, "")
        for video, size in enumerate(sizes)
        for k in range(1 + video % 3)
    ]


def parts_of(clips, count):
    return [parse_part(f"{k}/{count}").of(clips) for k in range(1, count + 1)]


@given(VIDEOS, COUNTS)
def test_every_video_is_in_exactly_one_part(sizes, count):
    every = clips_of(sizes)
    parts = parts_of(every, count)
    assert sorted(clip.clip_id for part in parts for clip in part) == sorted(clip.clip_id for clip in every)
    videos = [{clip.uri for clip in part} for part in parts]
    assert sum(map(len, videos)) == len(sizes)


@given(VIDEOS, COUNTS)
def test_parts_are_alike(sizes, count):
    """Their numbers of videos differ by one at most, their bytes by the largest video at most."""
    parts = parts_of(clips_of(sizes), count)
    videos = [{clip.uri: clip.size for clip in part} for part in parts]
    numbers, amounts = [len(found) for found in videos], [sum(found.values()) for found in videos]
    assert max(numbers) - min(numbers) <= 1
    assert max(amounts) - min(amounts) <= max(sizes, default=0)


def test_a_part_does_not_depend_on_the_order_of_clips():
    every = clips_of([5, 1, 9, 9, 2])
    other = Part(2, 3).of(every[::-1])
    assert [clip.clip_id for clip in Part(2, 3).of(every)] == [clip.clip_id for clip in other[::-1]]


def test_a_part_is_written_as_it_was_read():
    assert str(parse_part("2/8")) == "2/8"
    assert str(Part()) == "1/1"


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "-1/2", "a/b", "1/2/3", "1.5/2", "1/0"])
def test_what_cannot_be_meant_is_refused(text):
    with pytest.raises(UsageError, match="k from 1 to n"):
        parse_part(text)
