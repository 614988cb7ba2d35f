"""What a video's header says, bounded to what can be true, and when its packets are shown."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.core.errors import BadDataError
from components.video.limits import DEFAULT_LIMITS, Limits
from components.video.timeline import Timeline, sane_rate

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Containers that hold media themselves: playlists, which make FFmpeg open other files, are not among them.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,mxf,dv,h264,hevc"
)
_OPEN_OPTIONS = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file", "fpsprobesize": "0"}
_MAX_DAMAGES = 1_000
NO_FRAME = "no frame can be decoded"
NO_FRAMES = "there are no frames"


@dataclass(frozen=True, eq=False)
class Header:
    """What is known of a video without decoding it.

    Attributes:
        container, codec: FFmpeg's names.
        width, height: of the stored picture, before its rotation.
        streams: number of video streams; the first that is not a cover picture is read.
        stream: index of that one among the video streams.
        average_rate: frames a second, if sane.
        duration_s: how long the video should last, if the header says so sanely.
        packets: times of the stored pictures, in the order in which they are shown.
    """

    container: str
    codec: str
    width: int
    height: int
    streams: int
    stream: int
    average_rate: Fraction | None
    duration_s: float | None
    packets: Timeline


def read_header(path: Path, limits: Limits = DEFAULT_LIMITS, end_s: float | None = None) -> Header:
    """Read a video's header and walk over its packets.

    Args:
        end_s: where the clip ends; what lies behind is not held against the limits.

    Raises:
        BadDataError: no file, empty, no video, or beyond the limits.
    """
    with open_video(path) as (container, stream):
        return header_of(path, container, stream, limits, end_s)


def header_of(
    path: Path,
    container: "InputContainer",
    stream: "VideoStream",
    limits: Limits = DEFAULT_LIMITS,
    end_s: float | None = None,
) -> Header:
    """Read the header of an open video and walk over its packets, to the end of the file."""
    name = printable(path.name)
    codec = stream.codec_context
    limits.check_size(name, codec.width, codec.height)
    rate = sane_rate(stream.average_rate)
    said_s = _said_duration_s(container, stream)
    if said_s is not None:
        limits.check_duration(name, said_s if end_s is None else min(said_s, end_s))
    own_s = _own_duration_s(stream)
    looked_at = (stream,) if own_s is not None else ()  # the others tell how to read the container's duration
    times, others_end_s = _walk(container, stream, looked_at, name, limits, end_s)
    packets = Timeline.of(times, rate)
    limits.check_duration(name, packets.span_us / 1_000_000)
    return Header(
        container.format.name,
        codec.name,
        codec.width,
        codec.height,
        len(container.streams.video),
        container.streams.video.index(stream),
        rate,
        _believed_duration_s(said_s, own_s, packets, others_end_s),
        packets,
    )


def clockwise(counterclockwise_degrees: int) -> int:
    """FFmpeg's angle of display as quarter turns clockwise: 0, 90, 180 or 270.

    Example:
        >>> clockwise(-90), clockwise(90), clockwise(-180)
        (90, 270, 180)
    """
    return round(-counterclockwise_degrees / 90) % 4 * 90


@contextmanager
def open_video(path: Path) -> Iterator[tuple["InputContainer", "VideoStream"]]:
    """Open a file and find its first video stream that is not a cover picture.

    Raises:
        BadDataError: with a plain reason.
    """
    import av

    _check_file(path)
    try:
        container = av.open(str(path.absolute()), options=_OPEN_OPTIONS, metadata_errors="replace")
    except MemoryError:
        raise
    except av.FFmpegError as error:
        raise unreadable(path, _why(path, error)) from error
    with container:
        yield container, _video_stream(path, container)


def unreadable(path: Path, reason: str) -> BadDataError:
    """The error for a clip that is no video for us."""
    return BadDataError(
        f"{printable(path.name)}: {reason}",
        wanted="a video file that FFmpeg decodes",
        remedy="convert or remove the file",
    )


def printable(name: str) -> str:
    r"""A file's name on one line of plain text.

    Example:
        >>> printable("a\nb.mp4")
        'a\\nb.mp4'
    """
    return ascii(name)[1:-1]


def _check_file(path: Path) -> None:
    try:
        status = os.stat(path)
    except OSError as error:
        raise unreadable(path, error.strerror or "it cannot be opened") from error
    if not stat.S_ISREG(status.st_mode):
        raise unreadable(path, "it is not a file")
    if status.st_size == 0:
        raise unreadable(path, "the file is empty")


def _video_stream(path: Path, container: "InputContainer") -> "VideoStream":
    from av.stream import Disposition

    streams = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    if not streams:
        raise unreadable(path, "no video stream")
    if streams[0].codec_context is None:
        raise unreadable(path, "its codec is not known")
    return streams[0]


def _why(path: Path, error: Exception) -> str:
    with path.open("rb") as stream:
        head = stream.read(4096)
    if head[4:8] == b"ftyp":
        return "its index (moov atom) is missing or damaged, as when a file is cut short"
    if b"\0" not in head:
        return "text, not a video"
    return f"no video, or damaged at its start (FFmpeg: {_reason(error)})"


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _said_duration_s(container: "InputContainer", stream: "VideoStream") -> float | None:
    own = _own_duration_s(stream)
    if own is not None:
        return own
    return container.duration / 1_000_000 if container.duration and container.duration > 0 else None


def _own_duration_s(stream: "VideoStream") -> float | None:
    """The stream's own duration: in its header, or in the tag that Matroska's writers leave."""
    if stream.duration and stream.duration > 0 and stream.time_base:
        return float(stream.duration * stream.time_base)
    hours, _, rest = stream.metadata.get("DURATION", "").partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None


def _believed_duration_s(
    said_s: float | None, own_s: float | None, packets: Timeline, others_end_s: float
) -> float | None:
    """The container's duration is the video's, unless another stream alone fills it."""
    if said_s is None or own_s is not None:
        return said_s
    return packets.end_us / 1_000_000 if packets.count and others_end_s >= 0.95 * said_s else said_s


def _walk(
    container: "InputContainer",
    stream: "VideoStream",
    looked_at: Sequence["VideoStream"],
    name: str,
    limits: Limits,
    end_s: float | None,
) -> tuple[np.ndarray, float]:
    """Times of the video's packets in microseconds, in showing order, and where the other streams end.

    Args:
        looked_at: streams whose packets are read; empty: all.
    """
    times: list[int] = []
    others_end_s = 0.0
    last = None if end_s is None else units(end_s + 1, stream)
    for packet in packets_of(container, *looked_at):
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            continue
        if packet.stream is not stream:
            others_end_s = max(others_end_s, float((time + (packet.duration or 0)) * packet.time_base))
            continue
        if last is not None and time > last:
            break
        if not packet.is_discard:
            times.append(time)
            limits.check_frames(name, len(times))
    return np.sort(microseconds(times, stream)), others_end_s


def packets_of(container: "InputContainer", *streams: "VideoStream") -> Iterator["av.Packet"]:  # type: ignore[name-defined] # noqa: F821
    """All packets, going on behind damaged places of the container."""
    import av

    for _ in range(_MAX_DAMAGES):
        try:
            yield from container.demux(*streams)
            return
        except (av.FFmpegError, IndexError):  # PyAV's IndexError: a stream that only damage makes appear
            continue


def microseconds(times: Sequence[int], stream: "VideoStream") -> np.ndarray:
    """Times in the stream's units as whole microseconds from its start: int64, halves rounded up."""
    base = stream.time_base or Fraction(1, 1_000_000)
    top, bottom = base.numerator * 1_000_000, base.denominator
    common = gcd(top, bottom)
    top, bottom = top // common, bottom // common
    since = np.asarray(times, np.int64) - (stream.start_time or 0)
    return (2 * since * top + bottom) // (2 * bottom)


def units(time_s: float, stream: "VideoStream") -> int:
    """Seconds from the stream's start as a time in the stream's own units."""
    base = stream.time_base or Fraction(1, 1_000_000)
    return int(time_s / base) + (stream.start_time or 0)
