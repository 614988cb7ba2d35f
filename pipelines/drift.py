"""drift: scored clips against the champion's training; and the profile that a version carries for it.

A registry's version has its profile as a tag, so drift needs neither outs nor clips.
"""

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from components.core import system
from components.core.errors import UsageError
from components.core.tables import read_csv
from components.features.columns import COLUMNS
from components.models.registry import definition_of
from components.serving.drift import Column, Drift, compare, describe, from_dict, to_dict
from components.serving.score_log import means, read, scores_place
from components.tracking.registry import ModelRegistry, Version
from components.tracking.store import open_store
from pipelines.artifacts import Project
from pipelines.evaluate import read_tensors

log = logging.getLogger("tailwatch")

PROFILE = "tailwatch.profile"
NAMED = 5  # columns that the answer names, the most drifted first


def run(project: Project, days: int, floor: int, limit: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The answer, small, and every column with its n.

    Args:
        days: how far back scored clips count.
        floor: of clips, below which nothing is said.
        limit: PSI from which a change is large.

    Raises:
        UsageError: the limit is no number.
        StorageError: MLflow or the bucket does not answer.
        BadDataError: the champion's profile cannot be read.
    """
    if not math.isfinite(limit):
        raise UsageError(f"The limit is {limit}", wanted="a number above 0", remedy="correct --limit")
    champion = ModelRegistry(open_store(project.root), project.params.track.registered_model).champion()
    if champion is None or PROFILE not in champion.tags:
        who = "no champion" if champion is None else f"version {champion.number} carries no profile"
        log.warning("There is %s: nothing to compare with", who)
        return _answer(champion, 0, ()), []
    rows = _rows(project, champion, days)
    found = compare(from_dict(json.loads(champion.tags[PROFILE])), _values(rows), floor=floor, limit=limit)
    if len(rows) < floor:
        log.info("%d clips were scored by version %d: fewer than %d", len(rows), champion.number, floor)
    return _answer(champion, len(rows), found), [asdict(column) for column in found]


def profile_tags(project: Project, model_id: str) -> dict[str, str]:
    """The tag that a version of this model carries: how its clips' numbers, coverage and scores lie.

    Numbers and coverage are those of the train side, scores those of clips that it did not learn from. A
    model that looks at no numbers lacks none, whatever its view has: a scored clip says so, too.
    """
    predicted = list(read_csv(project.out("evaluate", model_id, "predictions.csv")))
    unseen = [row for row in predicted if row["split"] != "train"]
    learned = [row for row in predicted if row["split"] == "train"] or unseen
    streams = definition_of(model_id).streams
    lacks_none = bool(streams) and "numbers" not in streams  # one without streams is given all of its view
    profile = {
        "coverage": describe([1.0 if lacks_none else float(row["coverage"]) for row in learned]),
        "score": describe([_score(row, project.params.dataset.classes) for row in unseen]),
        **_numbers(project, model_id, {row["clip_id"] for row in learned}),
    }
    return {PROFILE: json.dumps(to_dict(profile), separators=(",", ":"))}


def _numbers(project: Project, model_id: str, learned: set[str]) -> dict[str, Column]:
    """The 29 numbers of the clips that were learned from; none of a model that looks at none."""
    tensors = read_tensors(project, project.params.model(model_id).view)
    if tensors.numbers is None or "numbers" not in definition_of(model_id).streams:
        return {}
    measured = np.asarray(tensors.measured)
    clips = [
        means(tensors.numbers[i], measured[i])
        for i, clip_id in enumerate(tensors.clip_ids)
        if clip_id in learned
    ]
    return {name: describe(_column([clip[name] for clip in clips])) for name in COLUMNS}


def _score(row: dict[str, str], classes: Sequence[str]) -> float:
    """As a scored clip's row has it: of two classes the second's probability, of more the largest."""
    if row["score"]:
        return float(row["score"])
    values = [float(row[f"p_{name}"] or "nan") for name in classes]
    return values[1] if len(values) == 2 else max(values)


def _rows(project: Project, champion: Version, days: int) -> list[dict[str, Any]]:
    """The clips that the champion scored, each video once, as it was scored last."""
    place = scores_place(project.root)
    rows = sorted(read(place, days) if place else (), key=lambda row: str(row["time"]))
    return list({row["video"]: row for row in rows if row.get("bundle") == champion.bundle}.values())


def _values(rows: Sequence[dict[str, Any]]) -> dict[str, np.ndarray]:
    found = {name: _column([row.get(name) for row in rows]) for name in ("coverage", "score")}
    return found | {name: _column([row["numbers"].get(name) for row in rows]) for name in COLUMNS}


def _column(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)


def _answer(champion: Version | None, n: int, found: Sequence[Drift]) -> dict[str, Any]:
    drifted = sorted((column for column in found if column.drifted), key=lambda one: -(one.psi or 0.0))
    names = [column.column for column in drifted]
    number = champion and champion.number
    return {
        "stage": "drift",
        "drifted": bool(drifted),
        "n": n,
        "columns": names[:NAMED],
        "drifted_columns": len(names),
        "largest_psi": max((column.psi for column in found if column.psi is not None), default=None),
        "version": number,
        "key": f"{number}-{system.utc_now():%G-W%V}",  # of one retraining a week, whatever drifts next day
    }
