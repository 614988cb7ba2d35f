"""What becomes of damaged videos in the workers that ingest and extract use."""

import time
from collections import Counter
from collections.abc import Sequence
from math import ceil
from pathlib import Path

import numpy as np

from components.core.errors import BadDataError
from components.core.files import file_sha256
from components.core.parallel import map_items
from components.datasets.inspection import inspect_all
from components.store.store import Store
from components.video.clip_read import ClipRead, Frames
from components.video.limits import Limits
from components.video.passes import shrunk_size
from components.video.reader import read_clip
from components.video.sampling import Sampling
from tests.mutated_videos import mutated

SAMPLINGS = {
    "five": Sampling("uniform", frames=5),
    "dense": Sampling("dense", per_second=5, max_side=64),
}
LIMITS = Limits(max_reading_s=60)
Verdict = tuple[str, str, float]  # whole, partial, refused, ended or wrong; why; seconds


def verdicts(folder: Path, seeds: Sequence[int]) -> dict[int, Verdict]:
    """By seed: how the damaged video was taken, after ingest's first look at it."""
    paths = {seed: _written(folder, seed) for seed in seeds}
    looked = inspect_all(Store(folder / "store"), {file_sha256(path): path for path in paths.values()})
    read = list(map_items(_verdict, list(paths.values()), label="read", lost=_ended))
    assert len(looked) == len({file_sha256(path) for path in paths.values()})
    return dict(zip(paths, read, strict=True))


def told(found: dict[int, Verdict]) -> str:
    """Counts, and the seeds that a person must look at."""
    counts = Counter(kind for kind, _, _ in found.values())
    slowest = max(found, key=lambda seed: found[seed][2])
    lines = [
        f"{sum(counts.values())} videos: {dict(counts)}; slowest {found[slowest][2]:.1f} s (seed {slowest})"
    ]
    lines += [
        f"seed {seed}: {kind}: {why}" for seed, (kind, why, _) in found.items() if kind in ("ended", "wrong")
    ]
    return "\n".join(lines)


def _written(folder: Path, seed: int) -> Path:
    suffix, content = mutated(seed)
    path = folder / f"{seed}.{suffix}"
    path.write_bytes(content)
    return path


def _ended(_: Path, cause: str) -> Verdict:
    return "ended", cause, 0.0


def _verdict(path: Path) -> Verdict:
    start = time.monotonic()
    try:
        read = read_clip(path, SAMPLINGS, limits=LIMITS)
    except BadDataError as error:
        return "refused", error.came, time.monotonic() - start
    broken = broken_promise(read)
    kind = "wrong" if broken else {"ok": "whole", "partial": "partial"}[read.facts.status]
    return kind, broken or read.facts.reason, time.monotonic() - start


def broken_promise(read: ClipRead) -> str:
    """What of a reader's contract does not hold, or nothing."""
    facts, five, dense = read.facts, read.frames["five"], read.frames["dense"]
    most = ceil(facts.span_s * 5) + 1
    promises = {
        "a status with its reason": (facts.status == "partial") == bool(facts.reason),
        "a share": 0 < facts.decodable_fraction <= 1,
        "frames decoded": facts.frames_decoded >= 1 and facts.span_s > 0,
        "five frames": len(five.indices) == 5,
        "as many as its rate gives": 1 <= len(dense.indices) <= most,
        "none twice": dense.repeated == 0,
        "five in order": _in_order(five, facts.width, facts.height),
        "dense in order": _in_order(dense, *shrunk_size(facts.width, facts.height, 64)),
    }
    return "; ".join(name for name, kept in promises.items() if not kept)


def _in_order(frames: Frames, width: int, height: int) -> bool:
    ascends = (np.diff(frames.times_s) >= 0).all() and (np.diff(frames.indices) >= 0).all()
    return bool(ascends) and frames.pixels.shape == (len(frames.times_s), height, width, 3)
