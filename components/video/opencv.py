"""Reading by OpenCV: every frame is decoded, only the wanted ones are converted.

OpenCV does not tell of a frame that it cannot convert, such as an interlaced one: it gives what its own
buffer happens to hold, which is the frame that was converted last, or any memory. So a frame counts as
converted only where it differs from the one before; where the very first frame is wanted, which has none
before it, the tolerant reader reads.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.video.passes import Errand, Pass

if TYPE_CHECKING:
    import cv2

_SPARSE = (slice(None, None, 61), slice(None, None, 61))


def decode(errand: Errand) -> Pass:
    """Make one forward pass; gives no frame at all where OpenCV cannot open the file.

    OpenCV ends in the same way at a file's end and at a damaged place: the caller compares with the header.

    Raises:
        BadDataError: more frames than the limits allow.
    """
    import cv2

    done = Pass("opencv", unconverted=0 in errand.wanted)
    if done.unconverted:
        return done
    before = spare = None  # two buffers for all frames, because fresh memory costs more than the conversion
    with _capture(errand.path) as capture:
        done.rotation = int(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        while capture.grab():
            time_us = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1000)
            if errand.stop_us is not None and time_us >= errand.stop_us:
                break
            index = len(done.times_us)
            if index == 0 or index in errand.wanted:
                converted, bgr = capture.retrieve(spare)
                if not converted:
                    break
                if before is not None and not _differs(bgr, before):
                    done.unconverted = True
                    break
                if index in errand.wanted:
                    _keep(bgr, errand, done, index)
                before, spare = bgr, before
            done.times_us.append(time_us)
            errand.limits.check_frames(errand.name, index + 1)
    return done


def _differs(bgr: np.ndarray, before: np.ndarray) -> bool:
    """Whether a frame was surely converted; another size means another buffer, of which nothing is known."""
    if bgr.shape != before.shape:
        return False
    return bool((bgr[_SPARSE] != before[_SPARSE]).any()) or not np.array_equal(bgr, before)


def _keep(bgr: np.ndarray, errand: Errand, done: Pass, index: int) -> None:
    import cv2

    errand.limits.check_size(errand.name, bgr.shape[1], bgr.shape[0])
    done.keep(index, bgr, errand)
    for side in errand.wanted[index]:
        done.pictures[index, side] = cv2.cvtColor(done.pictures[index, side], cv2.COLOR_BGR2RGB)


@contextmanager
def _capture(path: Path) -> Iterator["cv2.VideoCapture"]:
    """A capture with as many decoding threads as OpenCV may use here."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # damage is counted and reported, not printed
    import cv2

    threads = [cv2.CAP_PROP_N_THREADS, max(1, cv2.getNumThreads())]
    capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG, threads)
    try:
        yield capture
    finally:
        capture.release()
