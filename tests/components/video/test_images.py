"""Clips that lie as pictures: which files they are, in which order, and what is read of them."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.core.errors import BadDataError
from components.video import sequence
from components.video.fingerprint import MOMENTS, SIDE, fingerprint
from components.video.limits import Limits
from components.video.reader import expected_bytes, read_clip
from components.video.sampling import Sampling
from components.video.sequence import content_sha256, frame_files, is_sequence, sequences_among
from tests.video_factory import numbers, painted, write_frames

FIVE = {"five": Sampling("uniform", frames=5)}
RATE = Fraction(3)


@pytest.mark.parametrize(
    ("names", "path", "expected"),
    [
        pytest.param(
            ["a_100.png", "a_20.png", "a_3.png"],
            "a_*.png",
            ["a_3.png", "a_20.png", "a_100.png"],
            id="numbers",
        ),
        pytest.param(["a_1.png", "ab_1.png", "a_b1.png", "a_1.jpg"], "a_*.png", ["a_1.png"], id="others"),
        pytest.param(
            ["x_x264_0.png", "x_x264A_0.png"], "x_x264_*.png", ["x_x264_0.png"], id="a name that goes on"
        ),
        pytest.param(
            ["b.png", "a10.JPG", "a9.jpg", ".c.png", "d.txt"], "", ["a9.jpg", "a10.JPG", "b.png"], id="all"
        ),
        pytest.param(["[1]_2.png", "1_2.png"], "[1]_*.png", ["[1]_2.png"], id="no pattern but the star"),
        pytest.param(["a_1_2.png"], "a_*_*.png", [], id="two stars"),
        pytest.param([], "a_*.png", [], id="none"),
    ],
)
@pytest.mark.parametrize("remembered", [False, True])
def test_frames_in_order(
    tmp_path: Path,
    names: list[str],
    path: str,
    expected: list[str],
    remembered: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"")
    if remembered:
        monkeypatch.setattr(sequence, "SETTLED_NS", -1)
    assert [file.name for file in frame_files(tmp_path / path)] == expected


def test_a_frame_that_came_just_now_is_seen(tmp_path: Path) -> None:
    write_frames(tmp_path, ["1.png"])
    assert len(frame_files(tmp_path)) == 1
    write_frames(tmp_path, ["2.png"])
    assert len(frame_files(tmp_path)) == 2


def test_a_file_of_that_name_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a*.mp4"
    path.write_bytes(b"x")
    assert not is_sequence(path)
    assert is_sequence(tmp_path / "b*.mp4")
    assert is_sequence(tmp_path)


def test_sequences_among_files() -> None:
    assert sequences_among(["a/x_1.png", "a/x_2.png", "b/y.jpg", "c/z.mp4"]) == {"a", "a/x_*.png", "b"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda folder: (folder / "2.png").unlink(), id="one is gone"),
        pytest.param(lambda folder: (folder / "2.png").rename(folder / "9.png"), id="another name"),
        pytest.param(lambda folder: write_frames(folder, ["2.png"], first=99), id="another picture"),
    ],
)
def test_the_digest_is_of_names_and_bytes(tmp_path: Path, change: object) -> None:
    folder = write_frames(tmp_path / "a", ["1.png", "2.png", "3.png"])
    before = content_sha256(folder)
    assert content_sha256(write_frames(tmp_path / "b", ["1.png", "2.png", "3.png"])) == before
    change(folder)
    assert content_sha256(folder) != before


def test_frames_are_read_at_the_stated_rate(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a", [f"a_{10 * k}.png" for k in range(30)])
    clip = read_clip(folder / "a_*.png", FIVE, rate=Fraction(30000, 1001))
    frames = clip.frames["five"]
    assert numbers(frames.pixels) == frames.indices.tolist() == [3, 9, 15, 21, 27]
    assert frames.times_s == pytest.approx([k * 1001 / 30000 for k in (3, 9, 15, 21, 27)], abs=1e-6)
    facts = clip.facts
    assert (facts.backend, facts.codec, facts.status, facts.average_rate) == (
        "images",
        "png",
        "ok",
        "30000/1001",
    )
    assert (facts.width, facts.height, facts.frames_decoded) == (128, 64, 30)
    assert facts.span_s == pytest.approx(1.001)


def test_a_span_of_frames(tmp_path: Path) -> None:
    folder = write_frames(tmp_path, [f"{k}.png" for k in range(30)])
    clip = read_clip(folder, FIVE, 2.0, 7.0, rate=RATE)
    assert numbers(clip.frames["five"].pixels) == [7, 10, 13, 16, 19]
    assert clip.facts.frames_decoded == 15


def test_a_damaged_frame_is_left_out_and_told(tmp_path: Path) -> None:
    folder = write_frames(tmp_path, [f"{k}.png" for k in range(30)])
    for k in (9, 10):
        content = (folder / f"{k}.png").read_bytes()
        (folder / f"{k}.png").write_bytes(content[: len(content) // 2])
    clip = read_clip(folder, FIVE, rate=RATE)
    assert clip.facts.status == "partial"
    assert "28 of 30 frames could be decoded" in clip.facts.reason
    shown = numbers(clip.frames["five"].pixels)
    assert len(shown) == 5
    assert not {9, 10} & set(shown)
    assert clip.frames["five"].times_s.tolist() == pytest.approx([k / 3 for k in shown], abs=1e-6)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        pytest.param(Limits(max_pixels=100), "128x64 pixels", id="pixels"),
        pytest.param(Limits(max_frames=9), "more than 9 frames", id="frames"),
        pytest.param(Limits(max_duration_s=2), "3 s long", id="duration"),
        pytest.param(Limits(max_kept_bytes=1000), "frames to keep", id="kept"),
    ],
)
def test_limits(tmp_path: Path, limits: Limits, message: str) -> None:
    folder = write_frames(tmp_path, [f"{k}.png" for k in range(10)])
    with pytest.raises(BadDataError, match=message):
        read_clip(folder, FIVE, limits=limits, rate=RATE)


def test_a_later_frame_that_is_too_large_is_refused(tmp_path: Path) -> None:
    folder = write_frames(tmp_path, [f"{k}.png" for k in range(9)])
    write_frames(folder, ["9.png"], size=(512, 512))
    with pytest.raises(BadDataError, match="512x512 pixels"):
        read_clip(folder, FIVE, limits=Limits(max_pixels=128 * 64), rate=RATE)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        pytest.param({}, "there are no frames", id="none"),
        pytest.param({"1.png": b"", "2.png": b"text"}, "no frame can be decoded", id="no pictures"),
        pytest.param({"1.png": b"GIF89a" + bytes(60)}, "no frame can be decoded", id="another format"),
    ],
)
def test_no_frames(tmp_path: Path, contents: dict[str, bytes], message: str) -> None:
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadDataError, match=message):
        read_clip(tmp_path, FIVE, rate=RATE)
    with pytest.raises(BadDataError, match=message):
        fingerprint(tmp_path)


def test_frames_without_a_rate_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="it is not a file"):
        read_clip(write_frames(tmp_path, ["1.png"]), FIVE)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "I;16"])
def test_every_kind_of_picture(tmp_path: Path, mode: str) -> None:
    frame = Image.fromarray(painted(5))
    if mode == "I;16":
        gray = np.asarray(frame.convert("L")).astype(np.uint16) << 8
        Image.fromarray(gray).save(tmp_path / "1.png")
    else:
        frame.convert(mode).save(tmp_path / "1.png")
    [shown] = read_clip(tmp_path, {"one": Sampling("uniform", frames=1)}, rate=RATE).frames["one"].pixels
    assert (shown.shape, shown.dtype, numbers(shown[None])) == ((64, 128, 3), np.uint8, [5])


def test_a_picture_is_shown_upright(tmp_path: Path) -> None:
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(painted(5))))  # stored a quarter turn to the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown a quarter turn to the right
    turned.save(tmp_path / "1.jpg", exif=exif, quality=95)
    clip = read_clip(tmp_path, {"one": Sampling("uniform", frames=1)}, rate=RATE)
    assert numbers(clip.frames["one"].pixels) == [5]


def test_the_fingerprint_shows_equal_parts(tmp_path: Path) -> None:
    header, pictures = fingerprint(write_frames(tmp_path, [f"{k}.png" for k in range(16)]))
    assert (header.container, header.codec, header.average_rate) == ("images", "png", None)
    assert pictures.shape == (MOMENTS, SIDE, SIDE)
    assert pictures.dtype == np.uint8
    assert len(np.unique(pictures.reshape(MOMENTS, -1), axis=0)) == MOMENTS


def test_what_is_expected_is_what_is_kept(tmp_path: Path) -> None:
    folder = write_frames(tmp_path, [f"{k}.png" for k in range(12)])
    kept = read_clip(folder, FIVE, rate=RATE).frames["five"].pixels.nbytes
    assert expected_bytes(folder, FIVE, rate=RATE) == kept
