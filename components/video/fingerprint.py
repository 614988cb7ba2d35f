"""What a video shows, in a few kilobytes that survive re-encoding: eight of its pictures, tiny and gray."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.video import images
from components.video.limits import DEFAULT_LIMITS, Limits
from components.video.probe import (
    NO_FRAME,
    Header,
    clockwise,
    header_of,
    microseconds,
    open_video,
    packets_of,
    printable,
    units,
    unreadable,
)
from components.video.sequence import frame_files, is_sequence

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

MOMENTS = 8
SIDE = 32
_FAR_APART_US = 4_000_000
_INDEXED = frozenset(["mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi"])
_LEAD_US = 4_000_000  # where no index leads to a key frame, one is sought so long before a moment


def fingerprint(path: Path, limits: Limits = DEFAULT_LIMITS) -> tuple[Header, np.ndarray]:
    """The header, and gray pictures (MOMENTS, SIDE, SIDE) uint8 at the centres of equal spans of the video.

    Only frames that others refer to are decoded, and without the deblocking filter, which saves a third of
    the time; so a picture may lie a few frames off its moment.

    Raises:
        BadDataError: unreadable, no video stream, or beyond the limits.
    """
    import av

    if is_sequence(path):
        return _of_images(path, limits)
    with limits.bounded(printable(path.name), path) as allow, open_video(path) as (container, stream):
        header = header_of(path, container, stream, limits)
        packets = header.packets
        allow(limits.decoding_s(packets.count, header.width * header.height), limits.max_decoder_bytes)
        begin = int(packets.starts_us[0]) if packets.count else 0
        moments = [begin + (2 * k + 1) * packets.span_us // (2 * MOMENTS) for k in range(MOMENTS)]
        _decode_fast(stream)
        try:
            pictures = _pictures(path, container, stream, moments)
        except MemoryError:
            raise
        except av.FFmpegError as error:
            raise unreadable(path, "its index is damaged") from error
    if not pictures:
        raise unreadable(path, NO_FRAME)
    return header, np.stack(pictures)


def _of_images(path: Path, limits: Limits) -> tuple[Header, np.ndarray]:
    """The same of a path that names frames."""
    import cv2

    with limits.bounded(printable(path.name), path) as allow:
        header, files = images.read_header(path, limits), frame_files(path)
        allow(limits.decoding_s(MOMENTS, header.width * header.height), limits.max_decoder_bytes)
        chosen = [files[(2 * k + 1) * len(files) // (2 * MOMENTS)] for k in range(MOMENTS)]
        shown = [picture for file in chosen if (picture := images.picture(file, limits)) is not None]
    if not shown:
        raise unreadable(path, NO_FRAME)
    gray = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in shown]
    tiny = [cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for picture in gray]
    return header, np.stack(tiny + [tiny[-1]] * (MOMENTS - len(tiny)))


def _pictures(
    path: Path, container: "InputContainer", stream: "VideoStream", moments: list[int]
) -> list[np.ndarray]:
    """In one go, or from the key frame before each moment where the moments lie far apart."""
    indexed = container.format.name in _INDEXED
    if moments[1] - moments[0] <= _FAR_APART_US:
        if not indexed:
            return _from_the_start(path, moments)
        container.seek(stream.start_time or 0, stream=stream)
        return _at_moments(_timed_pictures(container, stream), moments)
    pictures = []
    for moment in moments:
        sought = moment if indexed else moment - _LEAD_US
        if sought <= 0 and not indexed:
            pictures += _from_the_start(path, [moment])
            continue
        container.seek(units(sought / 1_000_000, stream), stream=stream)
        pictures += _at_moments(_timed_pictures(container, stream), [moment])
    return pictures


def _from_the_start(path: Path, moments: list[int]) -> list[np.ndarray]:
    """Opened anew, because without an index a seek to the start may end behind the first key frame."""
    with open_video(path) as (container, stream):
        _decode_fast(stream)
        return _at_moments(_timed_pictures(container, stream), moments)


def _decode_fast(stream: "VideoStream") -> None:
    stream.codec_context.thread_count = 1
    stream.codec_context.skip_frame = "NONREF"
    stream.codec_context.options = {"skip_loop_filter": "all"}


def _timed_pictures(container: "InputContainer", stream: "VideoStream") -> Iterator[tuple[int, "VideoFrame"]]:
    import av

    for packet in packets_of(container, stream):
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except av.FFmpegError:
            continue
        for frame in frames:
            time = frame.pts if frame.pts is not None else frame.dts
            yield int(microseconds([time or 0], stream)[0]), frame


def _at_moments(timed: Iterator[tuple[int, "VideoFrame"]], moments: list[int]) -> list[np.ndarray]:
    """The tiny pictures nearest to each moment; the last is repeated when the video ends early."""
    kept: list[np.ndarray] = []
    before: tuple[int, VideoFrame] | None = None
    for now in timed:
        while len(kept) < len(moments) and now[0] >= moments[len(kept)]:
            moment = moments[len(kept)]
            nearest = now if before is None or now[0] - moment <= moment - before[0] else before
            kept.append(_tiny(nearest[1]))
        before = now
        if len(kept) == len(moments):
            return kept
    if before is not None:
        kept.extend([_tiny(before[1])] * (len(moments) - len(kept)))
    return kept


def _tiny(frame: "VideoFrame") -> np.ndarray:
    import cv2

    gray = _luma(frame)
    tiny = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.rot90(tiny, -clockwise(frame.rotation) // 90))


def _luma(frame: "VideoFrame") -> np.ndarray:
    """The gray plane (H, W) uint8, without a conversion where the decoder's layout has one."""
    if (
        not frame.format.name.startswith(("yuv4", "yuvj4", "nv12", "gray"))
        or frame.format.components[0].bits != 8
    ):
        return frame.to_ndarray(format="gray")
    plane = frame.planes[0]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(frame.height, plane.line_size)[:, : frame.width]
