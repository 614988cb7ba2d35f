"""Parts share no clip, and together have them all."""

import pytest

from components.core.errors import UsageError
from components.datasets.clips import Clip
from pipelines.part import Part, parse_part


@pytest.mark.parametrize("count", [1, 2, 3, 8, 100])
def test_every_clip_is_in_exactly_one_part(count):
    every = [Clip(str(k), str(k), None, None, f"{7919 * k:064x}", 1, "") for k in range(50)]
    parts = [[clip for clip in every if parse_part(f"{k}/{count}").has(clip)] for k in range(1, count + 1)]
    assert sorted(clip.clip_id for part in parts for clip in part) == sorted(clip.clip_id for clip in every)
    assert all(int(clip.sha256, 16) % count == k for k, part in enumerate(parts) for clip in part)


def test_a_part_is_written_as_it_was_read():
    assert str(parse_part("2/8")) == "2/8"
    assert str(Part()) == "1/1"


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "-1/2", "a/b", "1/2/3", "1.5/2", "1/0"])
def test_what_cannot_be_meant_is_refused(text):
    with pytest.raises(UsageError, match="k from 1 to n"):
        parse_part(text)
