"""How large a clip may be: checked on its header, before anything is allocated for it."""

from dataclasses import dataclass

from components.core.errors import BadDataError


@dataclass(frozen=True)
class Limits:
    """The largest clip that is read.

    Attributes:
        max_pixels: of one frame.
        max_frames: decoded in one clip.
        max_duration_s: from the first frame to the clip's end.
        max_kept_bytes: of the frames that are kept, over all samplings.
    """

    max_pixels: int = 3840 * 2160
    max_frames: int = 500_000
    max_duration_s: float = 4 * 3600.0
    max_kept_bytes: int = 1 << 30

    def check_size(self, name: str, width: int, height: int) -> None:
        """Raise BadDataError when a frame has too many pixels, or none."""
        if width < 1 or height < 1:
            raise BadDataError(
                f"{name}: frames of {width}x{height} pixels",
                wanted="frames with pixels",
                remedy="leave the clip out",
            )
        if width * height > self.max_pixels:
            raise BadDataError(
                f"{name}: frames of {width}x{height} pixels",
                wanted=f"at most {self.max_pixels} pixels a frame",
                remedy="scale the video down, or raise max_pixels",
            )

    def check_duration(self, name: str, duration_s: float) -> None:
        """Raise BadDataError when a clip lasts too long."""
        if duration_s > self.max_duration_s:
            raise BadDataError(
                f"{name}: {duration_s:.0f} s long",
                wanted=f"at most {self.max_duration_s:.0f} s",
                remedy="cut the video, or raise max_duration_s",
            )

    def check_frames(self, name: str, count: int) -> None:
        """Raise BadDataError when a clip has too many frames."""
        if count > self.max_frames:
            raise BadDataError(
                f"{name}: more than {self.max_frames} frames",
                wanted=f"at most {self.max_frames} frames",
                remedy="cut the video, or raise max_frames",
            )

    def check_kept(self, name: str, size_bytes: int) -> None:
        """Raise BadDataError when the frames to keep would not fit."""
        if size_bytes > self.max_kept_bytes:
            raise BadDataError(
                f"{name}: the wanted frames take {size_bytes / 2**20:.0f} MiB",
                wanted=f"at most {self.max_kept_bytes / 2**20:.0f} MiB",
                remedy="ask for fewer or smaller frames (per_second, max_side), or cut the video",
            )


DEFAULT_LIMITS = Limits()
