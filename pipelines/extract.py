"""extract: the frames of every sampling in use, kept in the store, and what the decoder really saw.

Reads clips.csv, writes outs/extract/index.csv: a row for each clip and sampling.
"""

import logging
from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from functools import partial
from typing import Any

from components.core.errors import BadDataError
from components.core.parallel import map_items
from components.core.space import check_room
from components.core.tables import write_csv
from components.datasets.clips import Clip
from components.features.chain import ClipChain
from components.store.store import StoredObject
from components.video.clip_read import DecoderFacts
from components.video.probe import printable
from components.video.rate import is_slow
from components.video.sampling import Sampling
from pipelines.artifacts import Project, read_clips
from pipelines.over_clips import Outcome, index_rows, over_clips

log = logging.getLogger("tailwatch")

FACTS = tuple(field.name for field in fields(DecoderFacts) if field.name not in ("status", "reason"))
LOOKED_AT = 16  # clips by which the room for all is judged
COLUMNS = ("clip_id", "sampling", "status", "reason", "key", "digest", "frames", *FACTS)


def run(project: Project) -> None:
    """Read every clip that ingest found.

    Raises:
        BadDataError: too many clips are bad.
        ResourceError: the frames will not fit on the disk.
    """
    clips = read_clips(project)
    _check_room(project, clips)
    outcomes = over_clips(project, clips, extract_clip, verb="decoded")
    _warn_of_partial(outcomes)
    _warn_of_slow(outcomes, project.params.samplings)
    rows = (row for outcome in outcomes for row in index_rows(outcome))
    write_csv(project.out("extract", "index.csv"), COLUMNS, rows)


def _check_room(project: Project, clips: list[Clip]) -> None:
    """Refuse frames that will not fit, judged by a few clips spread over all."""
    some = clips[:: max(1, len(clips) // LOOKED_AT)]
    expected = map_items(partial(_expected_bytes, project.chain), some, label="looked at", lost=_unknown)
    needed = sum(expected) * len(clips) / max(1, len(some))  # all: what a run uses is not given up
    check_room(project.store.backend.near.root, needed, f"The frames of {len(clips)} clips")


def _expected_bytes(chain: ClipChain, clip: Clip) -> int:
    try:
        return chain.expected_bytes(clip)
    except BadDataError:  # the stage itself says so
        return 0


def _unknown(_: Clip, __: str) -> int:
    return 0


def extract_clip(chain: ClipChain, clip: Clip) -> tuple[list[dict[str, Any]], bool]:
    """One clip's index rows, and whether it had to be decoded; all samplings are read in one pass."""
    stored = {sampling: chain.frames(clip, sampling) for sampling in chain.settings.frame_samplings()}
    rows = [frames_row(clip, sampling, frames) for sampling, frames in stored.items()]
    return rows, any(frames.made for frames in stored.values())


def frames_row(clip: Clip, sampling: str, stored: StoredObject) -> dict[str, Any]:
    """What the index says of one clip's frames under one sampling."""
    return {
        "clip_id": clip.clip_id,
        "sampling": sampling,
        "key": stored.key,
        "digest": stored.digest,
        "frames": len(stored["times_s"]),
        **{name: stored.meta[name] for name in ("status", "reason", *FACTS)},
    }


def _warn_of_partial(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        for row in outcome.rows[:1]:
            if row["status"] == "partial":
                log.warning("%s is damaged, what could be read is used: %s", row["clip_id"], row["reason"])


def _warn_of_slow(outcomes: list[Outcome], samplings: Mapping[str, Sampling]) -> None:
    """Tell, once for a sampling, of clips that have fewer frames a second than it asks for."""
    for name, sampling in samplings.items():
        rows = [row for outcome in outcomes for row in outcome.rows if row["sampling"] == name]
        slow = {
            row["clip_id"]: float(Fraction(row["average_rate"]))
            for row in rows
            if is_slow(row["average_rate"], sampling)
        }
        if slow:
            slowest = min(slow, key=lambda clip_id: slow[clip_id])
            log.warning(
                "%d of %d clips have fewer frames a second than samplings.%s asks for (%g), the fewest %s "
                "(%.3g): all their frames are taken, and lags between them are the video's own",
                *(len(slow), len(rows), name, sampling.per_second, printable(slowest), slow[slowest]),
            )
