"""normalize: what the train side's numbers look like, as a scaler per split.

Reads featurize's table and ingest's labels, writes outs/normalize/scalers.json and coverage.json. The scalers
are applied by train and evaluate.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from components.core.errors import BadDataError
from components.core.files import digest, write_json
from components.datasets.clips import Label
from components.features.coverage import group_coverage
from components.features.scaler import fit
from components.features.table import read_numbers
from pipelines.artifacts import HOLDOUT, Project, read_labels, read_out, read_sides


def run(project: Project) -> None:
    """Fit a scaler for each split, and sum coverage up by class and side.

    Raises:
        BadDataError: no clip on the train side was measured.
    """
    table = read_numbers(project.out("featurize", "table.csv"))
    labels = {
        clip_id: label
        for clip_id, label in read_labels(project).items()
        if clip_id in table and label.holdout
    }
    scalers = {
        split: scaler_of(table, _measured(read_sides(project, split), table), project.params.normalize.fit_on)
        for split in (HOLDOUT, *project.params.protocol.fold_splits)
    }
    write_json(project.out("normalize", "scalers.json"), scalers)
    write_json(project.out("normalize", "coverage.json"), _coverage(project, labels))


def scaler_of(
    table: Mapping[str, np.ndarray], sides: Mapping[str, str], fit_on: Literal["train", "all"]
) -> dict[str, Any]:
    """A split's scaler with what it was fitted on.

    Args:
        table: (T, 29) numbers by clip_id.
        sides: train, val or test by clip_id.
        fit_on: whose rows are learned from.

    Raises:
        BadDataError: no clip to learn from.
    """
    learned = [clip_id for clip_id in sorted(sides) if fit_on == "all" or sides[clip_id] == "train"]
    if not learned:
        raise BadDataError(
            f"none of the {len(table)} measured clips is on the train side",
            wanted="clips to fit the scaler on",
            remedy="look at columns holdout and parts of outs/ingest/labels.csv, and at split in params.yaml",
        )
    scaler = fit(np.concatenate([table[clip_id] for clip_id in learned]))
    facts = {"fit_on": fit_on, "leaky": fit_on == "all", "split_digest": digest(sorted(sides.items()))}
    return {**scaler.to_dict(), **facts}


def _measured(sides: Mapping[str, str], table: Mapping[str, np.ndarray]) -> dict[str, str]:
    return {clip_id: side for clip_id, side in sides.items() if clip_id in table}


def _coverage(project: Project, labels: Mapping[str, Label]) -> dict[str, Any]:
    clips = read_out(project, "featurize", "coverage.json")["clips"]
    by_class = {clip_id: label.label for clip_id, label in labels.items()}
    by_side = {clip_id: label.holdout for clip_id, label in labels.items()}
    return {"classes": group_coverage(clips, by_class), "sides": group_coverage(clips, by_side)}
