"""segment: the pixels of all persons in every clip's frames, kept in the store.

Reads extract's index, writes outs/segment/index.csv: a row for each clip and sampling that needs masks.
"""

from typing import Any

import numpy as np

from components.core.tables import write_csv
from components.datasets.clips import Clip
from components.features.chain import ClipChain
from components.store.store import StoredObject
from pipelines.artifacts import Project, usable_clips
from pipelines.over_clips import index_rows, over_clips

COLUMNS = ("clip_id", "sampling", "status", "reason", "key", "digest", "coverage", "person_share")


def run(project: Project) -> None:
    """Segment every clip that extract could read.

    Raises:
        BadDataError: too many clips are bad.
    """
    outcomes = over_clips(project, usable_clips(project, "extract"), segment_clip, verb="segmented")
    rows = (row for outcome in outcomes for row in index_rows(outcome))
    write_csv(project.out("segment", "index.csv"), COLUMNS, rows)


def segment_clip(chain: ClipChain, clip: Clip) -> tuple[list[dict[str, Any]], bool]:
    """One clip's index rows, and whether any masks had to be made; nothing is made that nobody needs."""
    stored = {sampling: chain.masks(clip, sampling) for sampling in chain.settings.mask_samplings()}
    rows = [mask_row(clip, sampling, masks) for sampling, masks in stored.items()]
    return rows or [{"clip_id": clip.clip_id, "status": "ok"}], any(masks.made for masks in stored.values())


def mask_row(clip: Clip, sampling: str, stored: StoredObject) -> dict[str, Any]:
    """What the index says of one clip's masks.

    `coverage` is the share of frames with a person, `person_share` the persons' share of all pixels.
    """
    shares = np.asarray(stored.meta["coverage"])
    return {
        "clip_id": clip.clip_id,
        "sampling": sampling,
        "status": "ok",
        "key": stored.key,
        "digest": stored.digest,
        "coverage": f"{(shares > 0).mean():.4f}",
        "person_share": f"{shares.mean():.6f}",
    }
