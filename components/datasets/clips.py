"""A clip and what is known of it beside its pictures."""

from dataclasses import dataclass

SIDES = ("train", "val", "test")


@dataclass(frozen=True)
class Clip:
    """A span of a video, half-open.

    Attributes:
        clip_id: its name in every table.
        uri: where the video lies, from the data set's root; or its frames (components.video.sequence).
        start_s, end_s: the span in seconds; None: from the video's start, to its end.
        sha256: of the video's bytes; or of its frames' names and bytes.
        size: of the video in bytes.
        origin: the adapter that found it.
        rate: frames a second where the video lies as frames, exact: "30000/1001"; else empty.
    """

    clip_id: str
    uri: str
    start_s: float | None
    end_s: float | None
    sha256: str
    size: int
    origin: str
    rate: str = ""


@dataclass(frozen=True)
class Label:
    """What a clip shows, and on which side it is used.

    Attributes:
        label: its class.
        intervals: where in its video it is shown, [start, end) in seconds; empty: throughout.
        source: the film, camera or long video that it was cut from: a group that no split divides.
        holdout: one of SIDES; empty when the clip is set aside.
        reason: why it is set aside; empty when it is not.
        parts: for each seed of the protocol the part of the folds that it lies in; empty when it is set
            aside, or there are no folds.
    """

    clip_id: str
    label: str
    intervals: tuple[tuple[float, float], ...]
    source: str
    holdout: str
    reason: str
    parts: tuple[int, ...] = ()
