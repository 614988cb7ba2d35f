"""Intervals told in frames, as seconds."""

from fractions import Fraction

import pytest

from components.datasets.annotations import intervals_s
from components.datasets.listing import Entry


@pytest.mark.parametrize(
    ("frames", "rate", "expected"),
    [
        pytest.param(((1, 1),), Fraction(25), ((0.0, 0.04),), id="the first frame"),
        pytest.param(((165, 240),), Fraction(30), ((164 / 30, 8.0),), id="counted from 1, the last included"),
        pytest.param(((31, 60),), Fraction(30000, 1001), ((1.001, 2.002),), id="29.97"),
        pytest.param(((1, 25), (51, 75)), Fraction(25), ((0.0, 1.0), (2.0, 3.0)), id="two events"),
        pytest.param((), None, (), id="none, at no rate"),
        pytest.param(((1, 2),), None, None, id="at no rate"),
    ],
)
def test_frames_become_seconds(
    frames: tuple[tuple[int, int], ...], rate: Fraction | None, expected: object
) -> None:
    assert intervals_s(Entry("a.mp4", "fight", intervals_frames=frames), rate) == expected
