"""Reading a clip: several samplings in one forward pass, with what the decoder really saw.

The wanted frames are predicted from the times of the file's packets, and compared with what was really
decoded: only when the prediction was wrong is there a second pass. OpenCV reads; what it cuts short, the
tolerant reader tries, and the one that recovers more is used; what it cannot convert, the tolerant one reads.
A path that names frames (components.video.sequence) has a reader of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from components.core.errors import BadDataError
from components.video import images, opencv, tolerant
from components.video.clip_read import ClipRead, DecoderFacts, Frames
from components.video.limits import DEFAULT_LIMITS, Limits
from components.video.passes import Errand, Pass, Wanted, shrunk_size
from components.video.probe import NO_FRAME, Header, printable, read_header, unreadable
from components.video.sampling import Sampling, choose
from components.video.sequence import is_sequence
from components.video.timeline import Timeline

ENOUGH = 0.95  # share of the promised duration below which a clip counts as cut short
Samplings = Mapping[str, Sampling]


def read_clip(
    path: Path,
    samplings: Samplings,
    start_s: float | None = None,
    end_s: float | None = None,
    limits: Limits = DEFAULT_LIMITS,
    rate: Fraction | None = None,
) -> ClipRead:
    """Read the frames that the samplings keep of a clip, the half-open span [start_s, end_s) of a video.

    Args:
        samplings: by name.
        start_s, end_s: seconds from the start of the video's stream; None: to its end.
        rate: frames a second, for a path that names frames.

    Raises:
        BadDataError: unreadable, no video stream, no frame inside the span, or beyond the limits.

    In a worker process (components.core.workers) time and memory are bounded, too.
    """
    span = _Span.of_seconds(start_s, end_s)
    name = printable(path.name)
    with limits.bounded(name, path) as allow:
        header = _header(path, limits, end_s, rate)
        errand = Errand(path, header, {}, span.end_us, limits)
        errand = _with_frames(errand, samplings, span.choose(samplings, header.packets))
        allow(
            limits.decoding_s(header.packets.count, header.width * header.height),
            errand.kept_bytes + limits.max_decoder_bytes,
        )
        best, timeline, chosen = _read(errand, samplings, span, partial(_best_pass, span=span))
    frames = _stacked(best, timeline, chosen, samplings)
    return ClipRead(frames, _facts(best, timeline, span, header, frames))


def expected_bytes(
    path: Path,
    samplings: Samplings,
    start_s: float | None = None,
    end_s: float | None = None,
    limits: Limits = DEFAULT_LIMITS,
    rate: Fraction | None = None,
) -> int:
    """Bytes of the frames that `read_clip` would keep, as the file's header and its packets promise them.

    Raises:
        BadDataError: unreadable, no video stream, or beyond the limits.
    """
    span = _Span.of_seconds(start_s, end_s)
    with limits.bounded(printable(path.name), path):
        header = _header(path, limits, end_s, rate)
    errand = Errand(path, header, {}, span.end_us, limits)
    return _with_frames(errand, samplings, span.choose(samplings, header.packets)).kept_bytes


_BACKENDS: dict[str, Callable[[Errand], Pass]] = {
    "opencv": opencv.decode,
    "pyav": tolerant.decode,
    "images": images.decode,
}


def _header(path: Path, limits: Limits, end_s: float | None, rate: Fraction | None) -> Header:
    if rate is not None and is_sequence(path):
        return images.read_header(path, limits, end_s, rate)
    return read_header(path, limits, end_s)


class _Span:
    """The part of a video that is the clip: [start_us, end_us)."""

    def __init__(self, start_us: int, end_us: int | None) -> None:
        self.start_us = start_us
        self.end_us = end_us

    @classmethod
    def of_seconds(cls, start_s: float | None, end_s: float | None) -> "_Span":
        return cls(round((start_s or 0.0) * 1_000_000), None if end_s is None else round(end_s * 1_000_000))

    def choose(self, samplings: Samplings, timeline: Timeline) -> dict[str, np.ndarray]:
        return {name: choose(one, timeline, self.start_us, self.end_us) for name, one in samplings.items()}

    def of(self, timeline: Timeline) -> Timeline:
        """The timeline of the clip alone."""
        first, last = timeline.part(self.start_us, self.end_us)
        if first == last:
            return Timeline(timeline.starts_us[:0], 0)
        end = timeline.end_us if last == timeline.count else int(timeline.starts_us[last])
        return Timeline(timeline.starts_us[first:last], end)

    def promised_s(self, header: Header) -> float | None:
        if header.duration_s is None:
            return None
        end_s = header.duration_s if self.end_us is None else min(self.end_us / 1_000_000, header.duration_s)
        return max(0.0, end_s - self.start_us / 1_000_000)


def _read(
    errand: Errand, samplings: Samplings, span: _Span, decode: Callable[[Errand], Pass]
) -> tuple[Pass, Timeline, dict[str, np.ndarray]]:
    """A pass that holds all chosen frames, when the frames are shown, and which are chosen."""
    best = decode(errand)
    timeline = best.timeline(errand.header)
    errand.limits.check_duration(errand.name, timeline.span_us / 1_000_000)
    chosen = span.choose(samplings, timeline)
    if not chosen or not all(map(len, chosen.values())):
        raise _nothing(errand.path, timeline, span)
    errand = _with_frames(errand, samplings, chosen)
    if not _holds(best, errand.wanted):
        best = replace(_BACKENDS[best.backend](errand), bad_packets=best.bad_packets)
        if best.unconverted:
            return _read(errand, samplings, span, tolerant.decode)
    return best, timeline, chosen


def _best_pass(errand: Errand, span: _Span) -> Pass:
    """OpenCV's pass, unless it lacks pixels, or was cut short and the tolerant reader recovers more."""
    if errand.header.container == images.CONTAINER:
        return images.decode(errand)
    if errand.header.stream > 0:  # OpenCV would read another stream
        return tolerant.decode(errand)
    plain = opencv.decode(errand)
    if plain.unconverted:
        return tolerant.decode(errand)
    if not _is_short(plain, errand.header, span):
        return plain
    patient = tolerant.decode(errand)
    if len(patient.times_us) > len(plain.times_us):
        return patient
    return replace(plain, bad_packets=patient.bad_packets)


def _is_short(done: Pass, header: Header, span: _Span) -> bool:
    decoded = span.of(done.timeline(header))
    promised_us = (span.promised_s(header) or 0.0) * 1_000_000
    packets = span.of(header.packets).count
    return not decoded.count or decoded.span_us < ENOUGH * promised_us or decoded.count < ENOUGH * packets


def _with_frames(errand: Errand, samplings: Samplings, chosen: Mapping[str, np.ndarray]) -> Errand:
    header = errand.header
    total = 0
    wanted: dict[int, set[int | None]] = defaultdict(set)
    for name, indices in chosen.items():
        side = samplings[name].max_side
        width, height = shrunk_size(header.width, header.height, side)
        total += len(indices) * width * height * 3
        for index in indices.tolist():
            wanted[index].add(side)
    errand.limits.check_kept(errand.name, total)
    sides_of = {index: frozenset(sides) for index, sides in wanted.items()}
    return replace(errand, wanted=sides_of, kept_bytes=total)


def _holds(done: Pass, wanted: Wanted) -> bool:
    return all((index, side) in done.pictures for index, sides in wanted.items() for side in sides)


def _stacked(
    done: Pass, timeline: Timeline, chosen: Mapping[str, np.ndarray], samplings: Samplings
) -> dict[str, Frames]:
    """Each sampling's frames in one array; a picture is let go with its last use, so that none lies twice."""
    uses = Counter((index, samplings[name].max_side) for name in chosen for index in chosen[name].tolist())
    frames = {}
    for name, indices in chosen.items():
        side = samplings[name].max_side
        width, height = shrunk_size(done.width, done.height, side)
        shape = (height, width, 3)
        pixels = np.empty((len(indices), *shape), np.uint8)
        for place, index in enumerate(indices.tolist()):
            pixels[place] = _fit(done.pictures[index, side], shape)
            uses[index, side] -= 1
            if not uses[index, side]:
                del done.pictures[index, side]
        frames[name] = Frames(pixels, timeline.starts_us[indices] / 1_000_000, indices)
    return frames


def _fit(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A picture at the size of the first that is kept: some streams change their size on the way."""
    import cv2

    if picture.shape == shape:
        return picture
    return cv2.resize(picture, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)


def _facts(
    done: Pass, timeline: Timeline, span: _Span, header: Header, frames: Mapping[str, Frames]
) -> DecoderFacts:
    clip = span.of(timeline)
    promised_s = span.promised_s(header)
    fraction, reason = _share_decoded(clip, done.bad_packets, promised_s, span.of(header.packets).count)
    rate = clip.rate() if header.average_rate is None or not clip.is_constant else header.average_rate
    return DecoderFacts(
        backend=done.backend,
        codec=header.codec,
        width=done.width,
        height=done.height,
        rotation=done.rotation,
        frames_decoded=clip.count,
        span_s=clip.span_us / 1_000_000,
        header_duration_s=promised_s,
        decodable_fraction=round(fraction, 6),
        variable_rate=not clip.is_constant,
        average_rate=str(rate),
        bad_packets=done.bad_packets,
        repeated_frames=sum(one.repeated for one in frames.values()),
        status="partial" if reason else "ok",
        reason=reason,
    )


def _share_decoded(
    clip: Timeline, bad_packets: int, promised_s: float | None, packets: int
) -> tuple[float, str]:
    """Share of the clip that was decoded, by time or, where packets are damaged, frames; what is missing."""
    span_s = clip.span_us / 1_000_000
    share = 1.0 if not promised_s else min(1.0, span_s / promised_s)
    reasons = [f"{span_s:.2f} of {promised_s:.2f} s could be decoded"] if share < ENOUGH else []
    if bad_packets:
        share = min(share, clip.count / max(packets, clip.count + bad_packets))
        lost = f"{clip.count} of {packets} frames could be decoded"
        reasons.append(f"{lost}, damaged packets: {bad_packets}")
    return share, "; ".join(reasons)


def _nothing(path: Path, timeline: Timeline, span: _Span) -> BadDataError:
    if not timeline.count:
        return unreadable(path, NO_FRAME)
    end = "the end" if span.end_us is None else f"{span.end_us / 1_000_000:g} s"
    return BadDataError(
        f"{printable(path.name)}: no frame between {span.start_us / 1_000_000:g} s and {end}",
        wanted=f"a span inside the video, which ends at {timeline.end_us / 1_000_000:g} s",
        remedy="correct the clip's start_s and end_s",
    )
