"""Frames to an H.264 mp4, the same bytes every time."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

QUALITY = {"crf": "23", "preset": "ultrafast", "threads": "1"}


def write_mp4(path: Path, frames: Iterable[np.ndarray], width: int, height: int, per_second: int) -> int:
    """Encode a clip.

    Args:
        path: the mp4 to write.
        frames: (H, W, 3) uint8 RGB each.
        width: of the frames, even.
        height: of the frames, even.
        per_second: frames per second.

    Returns:
        How many frames were written.
    """
    import av

    count = 0
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(per_second), options=QUALITY)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            count += 1
        container.mux(stream.encode(None))
    return count
