"""Tiny films with the frame number painted in, and an independent reader of the painted number.

The number stands in eight blocks along the upper edge, white for 1, the highest bit first; a red block in the
lower left corner tells which side is up and which channel is which.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

BITS = 8
WIDTH, HEIGHT = 128, 64
RED = (220, 20, 20)


def painted(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A frame (height, width, 3) uint8 RGB that shows a number from 0 to 255."""
    frame = np.full((height, width, 3), 128, np.uint8)
    block = width // BITS
    for place in range(BITS):
        bit = number >> (BITS - 1 - place) & 1
        frame[: height // 4, place * block : (place + 1) * block] = 255 * bit
    frame[-height // 4 :, : width // 4] = RED
    return frame


def painted_number(frame: np.ndarray) -> int:
    """The number that an upright frame of any size shows."""
    height, width = frame.shape[:2]
    gray = frame.mean(axis=2)
    centres = [int((place + 0.5) * width / BITS) for place in range(BITS)]
    return int("".join("1" if gray[height // 8, x] > 128 else "0" for x in centres), 2)


def numbers(frames: np.ndarray) -> list[int]:
    """The numbers that frames (T, H, W, 3) show."""
    return [painted_number(frame) for frame in frames]


def is_upright_rgb(frame: np.ndarray) -> bool:
    """Whether the red block is red, and where it was painted."""
    height, width = frame.shape[:2]
    red, green, blue = frame[int(height * 0.9), int(width * 0.1)].astype(int)
    return bool(red > 150 and green < 90 and blue < 90)


def write_video(
    path: Path,
    count: int = 30,
    rate: Fraction | int = 25,
    *,
    times_ms: Sequence[int] | None = None,
    rotation: int = 0,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    codec: str = "libx264",
    gop: int = 10,
    first: int = 0,
    container_format: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Write a film of painted frames.

    Args:
        count: frames.
        times_ms: when each frame is shown; by default at a constant rate.
        rotation: degrees clockwise that a player must turn the picture; the stored ones are turned back.
        gop: frames from one key frame to the next.
        first: the number of the first frame.
        options: the encoder's, added to those that keep it quick.
    """
    base = Fraction(1, 1000) if times_ms else 1 / Fraction(rate)
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=Fraction(rate))
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = base
        stream.codec_context.gop_size = gop
        stream.codec_context.thread_count = 1
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": "18"}
        else:
            stream.codec_context.bit_rate = 4_000_000
        stream.options = {**stream.options, **(options or {})}
        turned = rotation in (90, 270)
        stream.width, stream.height = size[::-1] if turned else size
        if rotation:
            stream.set_display_rotation(-rotation)
        for k in range(count):
            stored = np.rot90(painted((first + k) % 256, *size), rotation // 90)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(stored), format="rgb24")
            frame = frame.reformat(format=stream.pix_fmt)
            frame.pts = times_ms[k] if times_ms else k
            frame.time_base = base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_frames(
    folder: Path, names: Sequence[str], first: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> Path:
    """Write painted frames as pictures, numbered from `first` in the order of the names."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(names):
        Image.fromarray(painted((first + k) % 256, *size)).save(folder / name, quality=95)
    return folder


def write_two_streams(path: Path, first: int, second: int, count: int = 30) -> Path:
    """Write a file with two video streams, whose frames are numbered from `first` and from `second`."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.codec_context.thread_count = 1
        for k in range(count):
            for stream, start in zip(streams, (first, second), strict=True):
                frame = av.VideoFrame.from_ndarray(painted(start + k), format="rgb24")
                frame.pts, frame.time_base = k, Fraction(1, 25)
                container.mux(stream.encode(frame.reformat(format="yuv420p")))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


def write_audio(path: Path, seconds: float = 0.5) -> Path:
    """Write a file with an audio stream and no video."""
    rate = 16_000
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=rate)
        stream.layout = "mono"
        samples = np.zeros((1, int(seconds * rate)), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = rate
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def truncated(path: Path, share: float) -> Path:
    """Cut a file to a share of its bytes, in place."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def damaged(path: Path, frames: Sequence[int]) -> Path:
    """Overwrite the stored pictures of some frames (counted as they are stored), in place."""
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for index in frames:
        start, size = packets[index]
        content[start : start + size] = bytes([0x5A]) * size
    path.write_bytes(content)
    return path
