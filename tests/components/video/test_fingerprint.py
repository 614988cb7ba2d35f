"""Fingerprints: eight moments of a video, in reach of the right frames."""

from pathlib import Path

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.video import fingerprint as module
from components.video.fingerprint import MOMENTS, SIDE, fingerprint
from tests.video_factory import painted_number, truncated, write_video

B_FRAMES = {"preset": "medium"}


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        pytest.param("a.mp4", "libx264", {}, id="mp4"),
        pytest.param("a.mp4", "libx264", B_FRAMES, id="mp4 with B-frames"),
        pytest.param("a.mkv", "libx264", B_FRAMES, id="mkv with B-frames"),
        pytest.param("a.avi", "mpeg4", {}, id="avi"),
        pytest.param("a.ts", "libx264", B_FRAMES, id="ts with B-frames"),
        pytest.param("a.m2ts", "libx264", {}, id="m2ts"),
        pytest.param("a.mpg", "mpeg2video", {}, id="mpg"),
        pytest.param("a.flv", "libx264", B_FRAMES, id="flv with B-frames"),
    ],
)
@pytest.mark.parametrize(
    ("far_apart_us", "count"),
    [
        pytest.param(10**9, 80, id="in one go"),
        pytest.param(0, 80, id="by seeking"),
        pytest.param(4_000_000, 240, id="by seeking, far apart"),
        pytest.param(4_000_000, 8, id="short"),
    ],
)
def test_pictures_lie_near_their_moments(
    tmp_path: Path,
    name: str,
    codec: str,
    options: dict[str, str],
    far_apart_us: int,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_FAR_APART_US", far_apart_us)
    rate = 5 if count == 240 and codec != "mpeg2video" else 25
    path = write_video(tmp_path / name, count, rate, codec=codec, options=options)
    header, pictures = fingerprint(path)
    assert header.packets.count == count
    assert pictures.shape == (MOMENTS, SIDE, SIDE)
    assert pictures.dtype == np.uint8
    seen = [painted_number(np.repeat(picture[..., None], 3, axis=2)) for picture in pictures]
    assert seen == pytest.approx([(2 * k + 1) * count / 16 for k in range(MOMENTS)], abs=2)


def test_a_raw_stream_which_has_no_times_shows_its_start(tmp_path: Path) -> None:
    _, pictures = fingerprint(write_video(tmp_path / "a.h264"))
    assert painted_number(np.repeat(pictures[0][..., None], 3, axis=2)) <= 2


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_is_applied(tmp_path: Path, rotation: int) -> None:
    _, plain = fingerprint(write_video(tmp_path / "a.mp4"))
    _, turned = fingerprint(write_video(tmp_path / "b.mp4", rotation=rotation))
    assert np.abs(plain.astype(int) - turned).mean() < 3


def test_a_video_that_ends_early_repeats_its_last_picture(tmp_path: Path) -> None:
    _, pictures = fingerprint(write_video(tmp_path / "a.mp4", 1))
    assert pictures.shape == (MOMENTS, SIDE, SIDE)


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="moov atom"):
        fingerprint(truncated(write_video(tmp_path / "a.mp4"), 0.5))
