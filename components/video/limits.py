"""How large a clip may be, checked before anything is allocated for it, and what reading it may take."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.core.bounds import Allow, bounded
from components.core.errors import BadDataError

_OPENING_S = 120.0
_OPENING_BYTES_PER_S = 5e6
_FRAMES_PER_S, _PIXELS_PER_S = 1_000, 20e6  # decoded; a tenth of what one slow core does


@dataclass(frozen=True)
class Limits:
    """The largest clip that is read.

    Attributes:
        max_pixels: of one frame.
        max_frames: decoded in one clip.
        max_duration_s: from the first frame to the clip's end.
        max_kept_bytes: of the frames that are kept, over all samplings.
        max_decoder_bytes: that decoding takes beside them; kept to in worker processes.
        max_reading_s: wall time of reading one clip; kept to in worker processes.
    """

    max_pixels: int = 3840 * 2160
    max_frames: int = 500_000
    max_duration_s: float = 4 * 3600.0
    max_kept_bytes: int = 768 << 20
    max_decoder_bytes: int = 512 << 20
    max_reading_s: float = 3600.0

    @contextmanager
    def bounded(self, name: str, path: Path) -> Iterator[Allow]:
        """Bound what opening a file and walking over its packets takes; yields the way to go on to decoding.

        Raises:
            BadDataError: it needs more memory.
        """
        import av  # noqa: F401  # what libraries take is not the clip's
        import cv2  # noqa: F401

        size = path.stat().st_size if path.is_file() else 0
        seconds = min(self.max_reading_s, _OPENING_S + size / _OPENING_BYTES_PER_S)
        with bounded(name, seconds, self.max_decoder_bytes) as allow:
            yield allow

    def decoding_s(self, frames: int, pixels: int) -> float:
        """Wall time that decoding so many frames of so many pixels may take: far more than it should."""
        seconds = _OPENING_S + frames * (1 / _FRAMES_PER_S + pixels / _PIXELS_PER_S)
        return min(self.max_reading_s, seconds)

    def check_size(self, name: str, width: int, height: int) -> None:
        """Raise BadDataError when a frame has too many pixels, or none."""
        if width < 1 or height < 1:
            raise BadDataError(
                f"{name}: frames of {width}x{height} pixels",
                wanted="frames with pixels",
                remedy="remove the file or convert it anew",
            )
        if width * height > self.max_pixels:
            raise BadDataError(
                f"{name}: frames of {width}x{height} pixels",
                wanted=f"at most {self.max_pixels} pixels a frame",
                remedy="convert it with smaller frames, for example `ffmpeg -i IN -vf scale=1920:-2 OUT`",
            )

    def check_duration(self, name: str, duration_s: float) -> None:
        """Raise BadDataError when a clip lasts too long."""
        if duration_s > self.max_duration_s:
            raise BadDataError(
                f"{name}: {duration_s:.0f} s long",
                wanted=f"at most {self.max_duration_s:.0f} s ({self.max_duration_s / 3600:g} hours)",
                remedy="cut the video into shorter clips",
            )

    def check_frames(self, name: str, count: int) -> None:
        """Raise BadDataError when a clip has too many frames."""
        if count > self.max_frames:
            raise BadDataError(
                f"{name}: more than {self.max_frames} frames",
                wanted=f"at most {self.max_frames} frames",
                remedy="cut the video into shorter clips",
            )

    def check_kept(self, name: str, size_bytes: int) -> None:
        """Raise BadDataError when the frames to keep would not fit."""
        if size_bytes > self.max_kept_bytes:
            raise BadDataError(
                f"{name}: the frames to keep take {size_bytes / 2**20:.0f} MiB",
                wanted=f"at most {self.max_kept_bytes / 2**20:.0f} MiB a clip, over all samplings",
                remedy="lower per_second or max_side in params.yaml, or cut the video into shorter clips",
            )


DEFAULT_LIMITS = Limits()
