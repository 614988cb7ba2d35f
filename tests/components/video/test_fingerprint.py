"""Fingerprints: eight moments of a video, in reach of the right frames."""

from pathlib import Path

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.video import fingerprint as module
from components.video.fingerprint import MOMENTS, SIDE, fingerprint
from tests.video_factory import painted_number, truncated, write_video


@pytest.mark.parametrize(
    "far_apart_us", [pytest.param(10**9, id="in one go"), pytest.param(0, id="by seeking")]
)
def test_pictures_lie_near_their_moments(
    tmp_path: Path, far_apart_us: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FAR_APART_US", far_apart_us)
    header, pictures = fingerprint(write_video(tmp_path / "a.mp4", 80))
    assert header.packets.count == 80
    assert pictures.shape == (MOMENTS, SIDE, SIDE)
    assert pictures.dtype == np.uint8
    seen = [painted_number(np.repeat(picture[..., None], 3, axis=2)) for picture in pictures]
    assert seen == pytest.approx([5, 15, 25, 35, 45, 55, 65, 75], abs=2)


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
