"""Reading clips that lie as pictures, at a rate that somebody states: the third backend."""

from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np

from components.video.limits import DEFAULT_LIMITS, Limits
from components.video.passes import Errand, Pass
from components.video.probe import NO_FRAME, NO_FRAMES, Header, printable, unreadable
from components.video.sequence import frame_files
from components.video.timeline import Timeline

CONTAINER = "images"
_FORMATS = ("PNG", "JPEG", "BMP")
_UNKNOWN_RATE = Fraction(25)


def read_header(
    path: Path, limits: Limits = DEFAULT_LIMITS, end_s: float | None = None, rate: Fraction | None = None
) -> Header:
    """What is known of a sequence without decoding it.

    Args:
        end_s: where the clip ends; what lies behind is not held against the limits.
        rate: frames a second; None: not known, which is for who asks of no time.

    Raises:
        BadDataError: no frames, none that can be opened, or beyond the limits.
    """
    name = printable(path.name)
    speed = rate or _UNKNOWN_RATE
    files = frame_files(path)
    if end_s is not None:
        files = files[: ceil(Fraction(end_s) * speed) + 1]
    limits.check_frames(name, len(files))
    limits.check_duration(name, float(len(files) / speed))
    codec, width, height = _first_opened(path, files)
    limits.check_size(name, width, height)
    packets = Timeline.of([_time_us(k, speed) for k in range(len(files))], speed)
    return Header(CONTAINER, codec, width, height, 1, 0, rate, float(len(files) / speed), packets)


def decode(errand: Errand) -> Pass:
    """Make one forward pass, counting the frames that cannot be decoded.

    Raises:
        BadDataError: frames beyond the limits.
    """
    rate = errand.header.average_rate or _UNKNOWN_RATE
    done = Pass("images")
    for k, file in enumerate(frame_files(errand.path)):
        time_us = _time_us(k, rate)
        if errand.stop_us is not None and time_us >= errand.stop_us:
            break
        upright = picture(file, errand.limits)
        if upright is None:
            done.bad_packets += 1
            continue
        index = len(done.times_us)
        errand.limits.check_frames(errand.name, index + 1)
        if index in errand.wanted:
            done.keep(index, upright, errand)
        done.times_us.append(time_us)
    return done


def picture(file: Path, limits: Limits) -> np.ndarray | None:
    """One frame (H, W, 3) uint8 RGB, as it is shown; None where it cannot be decoded.

    Raises:
        BadDataError: it has more pixels than the limits allow.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(file, formats=_FORMATS) as image:
            limits.check_size(printable(file.name), *image.size)
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16 bits, which Pillow would cut off instead of scaling
                gray = (np.asarray(upright).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
                return np.repeat(gray[..., None], 3, axis=2)
            return np.array(upright.convert("RGB"))
    except MemoryError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # what Pillow says of damage
        return None


def _first_opened(path: Path, files: list[Path]) -> tuple[str, int, int]:
    """Format, width and height of the first frame that is a picture."""
    from PIL import Image

    for file in files:
        try:
            with Image.open(file, formats=_FORMATS) as image:
                return str(image.format).lower(), *image.size
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
    raise unreadable(path, NO_FRAME if files else NO_FRAMES)


def _time_us(index: int, rate: Fraction) -> int:
    return round(index * 1_000_000 / rate)
