"""Reading by PyAV, packet by packet: goes on behind damaged packets, which OpenCV takes for the end."""

from typing import TYPE_CHECKING

import numpy as np

from components.video.passes import Errand, Pass
from components.video.probe import clockwise, microseconds, open_video, packets_of, units

if TYPE_CHECKING:
    from av import VideoFrame


def decode(errand: Errand) -> Pass:
    """Make one forward pass, counting the packets that cannot be decoded.

    Raises:
        BadDataError: the file cannot be opened, or has more frames than the limits allow.
    """
    import av

    done = Pass("pyav")
    times: list[int | None] = []
    with open_video(errand.path) as (container, stream):
        stop = None if errand.stop_us is None else units(errand.stop_us / 1_000_000, stream)
        stream.codec_context.thread_count = 1
        for packet in packets_of(container, stream):
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except av.FFmpegError:
                done.bad_packets += 1
                continue
            for frame in frames:
                time = frame.pts if frame.pts is not None else frame.dts
                if stop is None or time is None or time < stop:
                    _keep(frame, len(times), errand, done)
                    times.append(time)
            if stop is not None and frames and time is not None and time >= stop:
                break
        done.times_us = microseconds([time or 0 for time in times], stream).tolist()
    return done


def _keep(frame: "VideoFrame", index: int, errand: Errand, done: Pass) -> None:
    errand.limits.check_frames(errand.name, index + 1)
    if index not in errand.wanted:
        return
    errand.limits.check_size(errand.name, frame.width, frame.height)
    done.rotation = clockwise(frame.rotation)
    upright = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), -done.rotation // 90))
    done.keep(index, upright, errand)
