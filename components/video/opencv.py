"""Reading by OpenCV: every frame is decoded, only the wanted ones are converted."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.video.passes import Errand, Pass

if TYPE_CHECKING:
    import cv2


def decode(errand: Errand) -> Pass:
    """Make one forward pass; gives no frame at all where OpenCV cannot open the file.

    OpenCV ends in the same way at a file's end and at a damaged place: the caller compares with the header.

    Raises:
        BadDataError: more frames than the limits allow.
    """
    import cv2

    done = Pass("opencv")
    bgr = None  # one buffer for all frames, because fresh memory costs more than the conversion
    with _capture(errand.path) as capture:
        done.rotation = int(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        while capture.grab():
            time_us = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1000)
            if errand.stop_us is not None and time_us >= errand.stop_us:
                break
            index = len(done.times_us)
            if index in errand.wanted:
                converted, bgr = capture.retrieve(bgr)
                if not converted:
                    break
                _keep(bgr, errand, done, index)
            done.times_us.append(time_us)
            errand.limits.check_frames(errand.name, index + 1)
    return done


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
