"""Which frames are kept: against the definition, written a second time and slower."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import UsageError
from components.video.sampling import Sampling, choose
from components.video.timeline import Timeline


def even(count: int, interval_us: int = 40_000) -> Timeline:
    return Timeline.of([k * interval_us for k in range(count)], Fraction(1_000_000, interval_us))


@pytest.mark.parametrize(
    ("count", "frames", "expected"),
    [
        pytest.param(100, 5, [10, 30, 50, 70, 90], id="five of a hundred"),
        pytest.param(5, 5, [0, 1, 2, 3, 4], id="as many as there are"),
        pytest.param(3, 5, [0, 0, 1, 2, 2], id="more than there are repeats"),
        pytest.param(1, 4, [0, 0, 0, 0], id="one frame"),
        pytest.param(7, 1, [3], id="the middle"),
        pytest.param(0, 5, [], id="no frame"),
    ],
)
def test_uniform_at_a_constant_rate(count: int, frames: int, expected: list[int]) -> None:
    assert choose(Sampling("uniform", frames=frames), even(count)).tolist() == expected


@given(count=st.integers(1, 5000), frames=st.integers(1, 64))
def test_uniform_takes_the_centres_of_equal_spans(count: int, frames: int) -> None:
    chosen = choose(Sampling("uniform", frames=frames), even(count)).tolist()
    assert chosen == [int((Fraction(k) + Fraction(1, 2)) * count / frames) for k in range(frames)]


@given(
    intervals=st.lists(st.integers(1_000, 900_000), min_size=1, max_size=60),
    frames=st.integers(1, 20),
)
def test_at_a_variable_rate_the_frame_on_show_is_kept(intervals: list[int], frames: int) -> None:
    starts = np.cumsum([0, *intervals]).tolist()
    timeline = Timeline.of(starts, None)
    chosen = choose(Sampling("uniform", frames=frames), timeline).tolist()
    assert chosen == sorted(chosen)
    if not timeline.is_constant:
        ends = [*starts[1:], timeline.end_us]
        for k, index in enumerate(chosen):
            centre = (2 * k + 1) * timeline.end_us // (2 * frames)
            assert starts[index] <= centre < ends[index]


@pytest.mark.parametrize(
    ("per_second", "expected"),
    [
        pytest.param(5.0, [2, 7, 12, 17, 22, 27], id="a fifth of the rate"),
        pytest.param(25.0, list(range(30)), id="the rate itself"),
        pytest.param(100.0, list(range(30)), id="no frame twice"),
        pytest.param(0.1, [15], id="at least one"),
    ],
)
def test_dense(per_second: float, expected: list[int]) -> None:
    assert choose(Sampling("dense", per_second=per_second), even(30)).tolist() == expected


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        pytest.param(2, [12, 17], id="an even number"),
        pytest.param(3, [7, 12, 17], id="an odd number: the earlier ones"),
        pytest.param(6, [2, 7, 12, 17, 22, 27], id="as many as there are"),
        pytest.param(9, [2, 7, 12, 17, 22, 27], id="more than there are"),
    ],
)
def test_dense_from_the_middle(frames: int, expected: list[int]) -> None:
    assert choose(Sampling("dense", per_second=5.0, frames=frames), even(30)).tolist() == expected


def test_dense_at_half_a_broken_rate_takes_every_second_frame() -> None:
    times = [round(k * 1_001_000_000 / 24_000) // 1 for k in range(240)]
    chosen = choose(Sampling("dense", per_second=12 * 1000 / 1001), Timeline.of(times, None))
    assert set(np.diff(chosen)) == {2}


@pytest.mark.parametrize(
    ("start_us", "end_us", "expected"),
    [
        pytest.param(400_000, 800_000, [11, 13, 15, 17, 19], id="half-open"),
        pytest.param(400_001, 800_001, [12, 14, 16, 18, 20], id="a microsecond later"),
        pytest.param(3_960_000, None, [99] * 5, id="the last frame"),
        pytest.param(4_000_000, None, [], id="behind the end"),
        pytest.param(0, 0, [], id="an empty span"),
    ],
)
def test_a_span_restricts(start_us: int, end_us: int | None, expected: list[int]) -> None:
    sampling = Sampling("uniform", frames=5)
    assert choose(sampling, even(100), start_us, end_us).tolist() == expected


def test_rounded_times_count_as_a_constant_rate() -> None:
    milliseconds = [round(k * 1001 / 30) * 1000 for k in range(300)]
    assert Timeline.of(milliseconds, None).is_constant


def test_a_missing_frame_makes_the_rate_variable() -> None:
    times = [k * 40_000 for k in range(100) if k != 50]
    assert not Timeline.of(times, None).is_constant


def test_times_that_do_not_increase_are_laid_out_by_the_rate() -> None:
    timeline = Timeline.of([0, 0, 0], Fraction(10))
    assert timeline.starts_us.tolist() == [0, 100_000, 200_000]
    assert timeline.end_us == 300_000


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"kind": "uniform"}, "has `frames` of 1 or more", id="uniform without frames"),
        pytest.param({"kind": "uniform", "frames": 0}, "has `frames` of 1 or more", id="no frames"),
        pytest.param({"kind": "dense"}, r"`per_second` in \(0, 240\]", id="dense without a rate"),
        pytest.param({"kind": "dense", "per_second": -1.0}, "per_second", id="negative rate"),
        pytest.param(
            {"kind": "dense", "per_second": 5.0, "frames": 0}, "1 frame or more", id="none of dense"
        ),
        pytest.param({"kind": "uniform", "frames": 5, "max_side": 0}, "max_side", id="no side"),
    ],
)
def test_settings_that_cannot_be_meant(values: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Sampling(**values)
