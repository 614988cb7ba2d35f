"""What a reader returns: kept frames, and what the decoder really saw."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class DecoderFacts:
    """What was really decoded of a clip.

    Attributes:
        backend: the decoder whose frames were used.
        codec: FFmpeg's name.
        width, height: in pixels, as shown (rotation applied), before any scaling.
        rotation: degrees clockwise that were applied.
        frames_decoded: inside the clip's span.
        span_s: from the first of them to the end of the last.
        header_duration_s: what the header promised of the clip's span; None when it says nothing sane.
        decodable_fraction: share of the promised that was decoded, in [0, 1].
        variable_rate: whether the frames are unevenly spaced.
        average_rate: frames a second as an exact fraction: "30000/1001".
        bad_packets: stored pictures that could not be decoded.
        repeated_frames: kept frames that are copies, because the clip has fewer than were wanted; of all
            samplings together.
        status: `partial` when part of the clip could not be read.
        reason: which part; empty when all was read.
    """

    backend: Literal["opencv", "pyav", "images"]
    codec: str
    width: int
    height: int
    rotation: int
    frames_decoded: int
    span_s: float
    header_duration_s: float | None
    decodable_fraction: float
    variable_rate: bool
    average_rate: str
    bad_packets: int
    repeated_frames: int
    status: Literal["ok", "partial"]
    reason: str


@dataclass(frozen=True, eq=False)
class Frames:
    """The frames that one sampling kept.

    Attributes:
        pixels: (T, H, W, 3) uint8 RGB.
        times_s: (T,) float64, seconds from the start of the video's stream.
        indices: (T,) int64, of the frames among all that were decoded from the start of the file.
    """

    pixels: np.ndarray
    times_s: np.ndarray
    indices: np.ndarray

    @property
    def repeated(self) -> int:
        """How many of the frames are copies of another."""
        return len(self.indices) - len(np.unique(self.indices))


@dataclass(frozen=True, eq=False)
class ClipRead:
    """A clip that was read: frames by the sampling's name, and the facts."""

    frames: Mapping[str, Frames]
    facts: DecoderFacts

    def facts_of(self, sampling: str) -> DecoderFacts:
        """The facts as they are for one sampling, whatever others were read beside it."""
        return replace(self.facts, repeated_frames=self.frames[sampling].repeated)
