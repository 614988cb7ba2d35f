"""Reading clips: the painted frame numbers say which frames came back."""

import contextlib
import os
import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from components.core.errors import BadDataError
from components.video import opencv, reader
from components.video.limits import Limits
from components.video.passes import Pass
from components.video.reader import read_clip
from components.video.sampling import Sampling
from tests.video_factory import (
    damaged,
    is_upright_rgb,
    numbers,
    truncated,
    write_audio,
    write_video,
)

FIVE = {"five": Sampling("uniform", frames=5)}
VARIABLE_MS = [*range(0, 400, 40), *range(400, 4400, 400)]


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        pytest.param("a.mp4", "libx264", 25, id="mp4"),
        pytest.param("a.mkv", "libx264", 25, id="mkv, times in milliseconds"),
        pytest.param("a.ts", "libx264", 25, id="transport stream, times not from 0"),
        pytest.param("a.avi", "mpeg4", 25, id="avi, no times"),
        pytest.param("a.mp4", "libx264", Fraction(30000, 1001), id="29.97"),
        pytest.param("a.mkv", "libx264", Fraction(24000, 1001), id="23.976 in milliseconds"),
    ],
)
def test_constant_rate(tmp_path: Path, name: str, codec: str, rate: Fraction) -> None:
    clip = read_clip(write_video(tmp_path / name, 30, rate, codec=codec), FIVE)
    frames = clip.frames["five"]
    assert numbers(frames.pixels) == frames.indices.tolist() == [3, 9, 15, 21, 27]
    assert frames.times_s == pytest.approx([k / float(rate) for k in (3, 9, 15, 21, 27)], abs=0.001)
    assert frames.pixels.dtype == np.uint8
    assert is_upright_rgb(frames.pixels[0])
    assert (clip.facts.backend, clip.facts.status, clip.facts.frames_decoded) == ("opencv", "ok", 30)
    assert clip.facts.average_rate == str(Fraction(rate))
    assert not clip.facts.variable_rate


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_variable_rate(tmp_path: Path, name: str) -> None:
    clip = read_clip(write_video(tmp_path / name, 20, times_ms=VARIABLE_MS), FIVE)
    centres_ms = [(2 * k + 1) * 4040 / 10 for k in range(5)]
    shown = [sum(time <= centre for time in VARIABLE_MS) - 1 for centre in centres_ms]
    assert numbers(clip.frames["five"].pixels) == shown
    assert clip.facts.variable_rate
    assert clip.facts.average_rate == "500/101"
    assert clip.facts.span_s == pytest.approx(4.04)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("backend", ["opencv", "pyav"])
def test_rotation(tmp_path: Path, rotation: int, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if backend == "pyav":
        monkeypatch.setattr(opencv, "decode", lambda errand: opencv.Pass("opencv"))
    clip = read_clip(write_video(tmp_path / "a.mp4", rotation=rotation), FIVE)
    frames = clip.frames["five"].pixels
    assert frames.shape == (5, 64, 128, 3)
    assert numbers(frames) == [3, 9, 15, 21, 27]
    assert all(is_upright_rgb(frame) for frame in frames)
    assert (clip.facts.backend, clip.facts.rotation) == (backend, rotation)
    assert (clip.facts.width, clip.facts.height, clip.facts.status) == (128, 64, "ok")


def test_both_backends_give_the_same_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", rotation=90)
    by_opencv = read_clip(path, FIVE).frames["five"]
    monkeypatch.setattr(opencv, "decode", lambda errand: opencv.Pass("opencv"))
    by_pyav = read_clip(path, FIVE).frames["five"]
    assert np.abs(by_opencv.pixels.astype(int) - by_pyav.pixels).max() <= 2
    assert by_opencv.times_s == pytest.approx(by_pyav.times_s)


INTERLACED = {"flags": "+ilme+ildct"}


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        pytest.param("a.mp4", "libx264", {"x264-params": "tff=1"}, id="h264"),
        pytest.param("a.mpg", "mpeg2video", INTERLACED, id="mpeg2"),
        pytest.param("a.avi", "mpeg4", INTERLACED, id="mpeg4"),
    ],
)
@pytest.mark.parametrize(
    ("count", "kept"), [(30, [3, 9, 15, 21, 27]), pytest.param(1, [0] * 5, id="the first frame alone")]
)
def test_frames_that_opencv_cannot_convert(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], count: int, kept: list[int]
) -> None:
    read_clip(write_video(tmp_path / "before.mp4", first=100), FIVE)
    path = write_video(tmp_path / name, count, codec=codec, options=options)
    clip, again = read_clip(path, FIVE), read_clip(path, FIVE)
    assert numbers(clip.frames["five"].pixels) == kept
    assert np.array_equal(clip.frames["five"].pixels, again.frames["five"].pixels)
    assert (clip.facts.backend, clip.facts.status) == ("pyav", "ok")


def test_frames_that_opencv_cannot_convert_show_in_the_second_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unconverted = Pass("opencv", unconverted=True)
    monkeypatch.setitem(reader._BACKENDS, "opencv", lambda errand: unconverted)
    monkeypatch.setattr(reader, "_holds", lambda done, wanted: done.backend == "pyav")
    clip = read_clip(write_video(tmp_path / "a.mp4"), FIVE)
    assert (clip.facts.backend, numbers(clip.frames["five"].pixels)) == ("pyav", [3, 9, 15, 21, 27])


def test_several_samplings_share_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []
    decode = opencv.decode
    monkeypatch.setattr(opencv, "decode", lambda errand: passes.append(1) or decode(errand))
    samplings = {
        "five": Sampling("uniform", frames=5),
        "many": Sampling("uniform", frames=50),
        "small": Sampling("dense", per_second=5, max_side=64),
    }
    clip = read_clip(write_video(tmp_path / "a.mp4"), samplings)
    assert len(passes) == 1
    assert numbers(clip.frames["five"].pixels) == [3, 9, 15, 21, 27]
    assert numbers(clip.frames["small"].pixels) == [2, 7, 12, 17, 22, 27]
    assert clip.frames["small"].pixels.shape[1:] == (32, 64, 3)
    assert numbers(clip.frames["many"].pixels) == [(2 * k + 1) * 30 // 100 for k in range(50)]
    assert clip.facts_of("five").repeated_frames == 0
    assert clip.facts_of("many").repeated_frames == 20


def test_a_wrong_prediction_costs_a_second_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong_header(*arguments: object) -> object:
        header = read_header(*arguments)
        packets = reader.Timeline.of(range(0, 40_000 * 31, 40_000), Fraction(25))
        return replace(header, packets=packets)

    read_header = reader.read_header
    monkeypatch.setattr(reader, "read_header", wrong_header)
    assert numbers(read_clip(write_video(tmp_path / "a.mp4"), FIVE).frames["five"].pixels) == [
        3,
        9,
        15,
        21,
        27,
    ]


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"),
    [
        pytest.param(0.2, 0.6, [6, 8, 10, 12, 14], id="inside"),
        pytest.param(None, 0.2, [0, 1, 2, 3, 4], id="from the start"),
        pytest.param(1.0, None, [25, 26, 27, 28, 29], id="to the end"),
        pytest.param(1.0, 9.0, [25, 26, 27, 28, 29], id="beyond the end"),
    ],
)
def test_a_span_of_a_video(
    tmp_path: Path, start_s: float | None, end_s: float | None, expected: list[int]
) -> None:
    clip = read_clip(write_video(tmp_path / "a.mp4"), FIVE, start_s, end_s)
    assert numbers(clip.frames["five"].pixels) == expected
    assert clip.facts.status == "ok"


def test_a_span_behind_the_end(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"no frame between 5 s and the end.*ends at 1\.2 s"):
        read_clip(write_video(tmp_path / "a.mp4"), FIVE, 5.0)


def test_a_single_frame_is_repeated(tmp_path: Path) -> None:
    clip = read_clip(write_video(tmp_path / "a.mp4", 1), FIVE)
    assert numbers(clip.frames["five"].pixels) == [0] * 5
    assert clip.facts.repeated_frames == 4


def test_a_cut_mkv_gives_what_is_left(tmp_path: Path) -> None:
    clip = read_clip(truncated(write_video(tmp_path / "a.mkv", 100), 0.5), FIVE)
    left = clip.facts.frames_decoded
    assert 20 < left < 80
    assert numbers(clip.frames["five"].pixels) == [(2 * k + 1) * left // 10 for k in range(5)]
    assert clip.facts.status == "partial"
    assert clip.facts.reason == f"{left / 25:.2f} of 4.00 s could be decoded"
    assert clip.facts.average_rate == "25"


def test_where_opencv_stops_the_tolerant_reader_goes_on(tmp_path: Path) -> None:
    path = damaged(write_video(tmp_path / "a.mp4", 100, gop=10), [30])
    errand = reader.Errand(path, reader.read_header(path), {}, None, Limits())
    assert len(opencv.decode(errand).times_us) < 40  # OpenCV takes the damage for the end
    clip = read_clip(path, FIVE)
    assert clip.facts.backend == "pyav"
    assert clip.facts.frames_decoded >= 90
    assert clip.facts.bad_packets >= 1
    assert clip.facts.span_s == pytest.approx(4.0)
    assert clip.facts.status == "partial"
    assert "frames could be decoded, damaged packets: 1" in clip.facts.reason
    assert numbers(clip.frames["five"].pixels)[-1] == 90


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        pytest.param("a.mp4", lambda path: path.write_bytes(b""), "the file is empty", id="empty"),
        pytest.param("a.mp4", lambda path: path.write_text("<html>"), "text, not a video", id="a web page"),
        pytest.param("a.mp4", lambda path: None, "No such file", id="missing"),
        pytest.param("a.mp4", lambda path: path.mkdir(), "it is not a file", id="a folder"),
        pytest.param("a.mp4", lambda path: os.mkfifo(path), "it is not a file", id="a pipe"),
        pytest.param("a.mp4", write_audio, "no video stream", id="audio alone"),
        pytest.param(
            "a.mp4",
            lambda path: truncated(write_video(path), 0.5),
            r"its index \(moov atom\) is missing",
            id="cut mp4",
        ),
        pytest.param(
            "a.mp4",
            lambda path: path.write_bytes(bytes(range(256)) * 9),
            "no video, or damaged at its start",
            id="noise",
        ),
        pytest.param(
            "a.mp4",
            lambda path: path.write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
            "text, not a video",
            id="a playlist",
        ),
    ],
)
def test_unreadable(tmp_path: Path, name: str, make: object, reason: str) -> None:
    make(tmp_path / name)
    with pytest.raises(BadDataError, match=reason):
        read_clip(tmp_path / name, FIVE)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        pytest.param(Limits(max_pixels=128 * 63), "frames of 128x64 pixels", id="pixels"),
        pytest.param(Limits(max_frames=29), "more than 29 frames", id="frames"),
        pytest.param(Limits(max_duration_s=1.1), "1 s long", id="duration"),
        pytest.param(
            Limits(max_kept_bytes=5 * 128 * 64 * 3 - 1), "the frames to keep take 0 MiB", id="memory"
        ),
    ],
)
def test_limits_hold_before_anything_is_decoded(
    tmp_path: Path, limits: Limits, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4")
    monkeypatch.delattr(opencv, "decode")
    with pytest.raises(BadDataError, match=reason):
        read_clip(path, FIVE, limits=limits)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("-x.mp4", id="like an option"),
        pytest.param("a b\n'c' %d $(x).mp4", id="blanks, quotes, a new line"),
        pytest.param("影片 клип مقطع.mp4", id="other alphabets"),
        pytest.param("n" * 251 + ".mp4", id="255 bytes"),
        pytest.param("http:a.mp4", id="like an address"),
    ],
)
def test_odd_names(tmp_path: Path, name: str) -> None:
    clip = read_clip(write_video(tmp_path / "a.mp4").rename(tmp_path / name), FIVE)
    assert numbers(clip.frames["five"].pixels) == [3, 9, 15, 21, 27]


def test_a_relative_name_like_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "a.mp4").rename(tmp_path / "-i.mp4")
    monkeypatch.chdir(tmp_path)
    assert read_clip(Path("-i.mp4"), FIVE).facts.frames_decoded == 30


def test_a_name_in_a_message_stays_on_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"a\\nb\.mp4: No such file"):
        read_clip(tmp_path / "a\nb.mp4", FIVE)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_damage_anywhere_is_read_or_refused(tmp_path: Path, suffix: str) -> None:
    whole = write_video(tmp_path / f"whole.{suffix}", 60).read_bytes()
    path = tmp_path / f"damaged.{suffix}"
    for seed in range(40):
        dice = random.Random(seed)
        content = bytearray(whole)
        for _ in range(dice.choice([1, 5, 40, 200])):
            content[dice.randrange(len(content))] = dice.randrange(256)
        path.write_bytes(content[: dice.choice([len(content), dice.randrange(1, len(content))])])
        with contextlib.suppress(BadDataError):
            clip = read_clip(path, FIVE)
            assert clip.frames["five"].pixels.shape[0] == 5
            assert 0 < clip.facts.decodable_fraction <= 1


def test_real_clips_against_a_full_decode(shared_data: Path) -> None:
    """Every frame decoded in order by PyAV alone, and the wanted ones picked by the formula."""
    paths = (
        sorted((shared_data / "people").glob("*turning*.mp4"))
        + sorted((shared_data / "surveillance-fights").rglob("*.mp4"))[::60]
    )
    for path in paths:
        clip = read_clip(path, FIVE)
        with av.open(str(path)) as container:
            frames = list(container.decode(video=0))
        wanted = [(2 * k + 1) * len(frames) // 10 for k in range(5)]
        assert clip.frames["five"].indices.tolist() == wanted
        assert clip.facts.backend == "opencv"
        expected = np.stack([frames[index].to_ndarray(format="rgb24") for index in wanted])
        assert np.abs(expected.astype(int) - clip.frames["five"].pixels).mean() < 1
