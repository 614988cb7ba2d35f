"""One forward pass over a video: what a decoder backend is asked for, and what it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from components.video.limits import Limits
from components.video.probe import Header, printable
from components.video.timeline import Timeline

# Frame index to the longest sides at which the frame is kept; None: as it is.
Wanted = Mapping[int, frozenset[int | None]]


@dataclass(frozen=True)
class Errand:
    """A pass to make.

    Attributes:
        wanted: frames to keep.
        stop_us: frames that start here or later are not decoded.
        kept_bytes: of the wanted frames in each sampling, by the header's size of frames.
    """

    path: Path
    header: Header
    wanted: Wanted
    stop_us: int | None
    limits: Limits
    kept_bytes: int = 0

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return printable(self.path.name)


@dataclass
class Pass:
    """What a pass gave, filled while it goes.

    Attributes:
        times_us: of every decoded frame.
        pictures: (frame index, longest side) to (H, W, 3) uint8 RGB.
        width, height: of the first upright frame that is kept, unscaled; 0 before.
        rotation: degrees clockwise that were applied.
        unconverted: a wanted frame's pixels could not be made, or cannot be known to be right; the pass
            ended there.
    """

    backend: Literal["opencv", "pyav", "images"]
    times_us: list[int] = field(default_factory=list)
    pictures: dict[tuple[int, int | None], np.ndarray] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    rotation: int = 0
    bad_packets: int = 0
    kept_bytes: int = 0
    unconverted: bool = False

    def timeline(self, header: Header) -> Timeline:
        """When the decoded frames are shown."""
        return Timeline.of(self.times_us, header.average_rate)

    def keep(self, index: int, upright: np.ndarray, errand: Errand) -> None:
        """Keep a picture at each of the wanted sizes.

        Raises:
            BadDataError: the pictures, which may be larger than the header says, are beyond the limits.
        """
        if not self.width:
            self.height, self.width = upright.shape[:2]
        for side in errand.wanted[index]:
            picture = shrink(upright, side)
            self.pictures[index, side] = picture
            self.kept_bytes += picture.nbytes
        errand.limits.check_kept(errand.name, self.kept_bytes)


def shrink(picture: np.ndarray, max_side: int | None) -> np.ndarray:
    """The picture (H, W, 3), averaged down so that its longest side is at most max_side; never enlarged."""
    import cv2

    height, width = picture.shape[:2]
    if max_side is None or max(height, width) <= max_side:
        return picture
    return cv2.resize(picture, shrunk_size(width, height, max_side), interpolation=cv2.INTER_AREA)


def shrunk_size(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """(width, height) that a picture has after `shrink`.

    Example:
        >>> shrunk_size(1920, 1080, 320)
        (320, 180)
    """
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    return max(1, round(width * max_side / longest)), max(1, round(height * max_side / longest))
