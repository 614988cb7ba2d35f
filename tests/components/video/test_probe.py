"""What headers say, and what of it is believed."""

from fractions import Fraction
from pathlib import Path

import pytest

from components.video.probe import read_header
from components.video.timeline import sane_rate
from tests.video_factory import truncated, write_video


def test_header(tmp_path: Path) -> None:
    header = read_header(write_video(tmp_path / "a.mp4", 30, Fraction(30000, 1001)))
    assert (header.codec, header.width, header.height, header.streams) == ("h264", 128, 64, 1)
    assert header.average_rate == Fraction(30000, 1001)
    assert header.duration_s == pytest.approx(1.001)
    assert header.packets.count == 30


def test_a_cut_file_keeps_its_promise_of_duration(tmp_path: Path) -> None:
    header = read_header(truncated(write_video(tmp_path / "a.mkv", 100), 0.5))
    assert header.duration_s == pytest.approx(4.0)
    assert header.packets.count < 80


@pytest.mark.parametrize(
    ("rate", "believed"),
    [
        pytest.param(Fraction(30000, 1001), Fraction(30000, 1001), id="29.97"),
        pytest.param(Fraction(30000), None, id="of a cut mkv"),
        pytest.param(Fraction(0), None, id="zero"),
        pytest.param(None, None, id="none"),
    ],
)
def test_sane_rate(rate: Fraction | None, believed: Fraction | None) -> None:
    assert sane_rate(rate) == believed
