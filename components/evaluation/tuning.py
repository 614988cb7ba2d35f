"""The rule of alarms of one model: chosen on the validation side, asked once on the test side."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.core.errors import BadDataError
from components.core.settings import to_dict
from components.evaluation.alarms import Floats, Point, Side, choose, figures, frontier
from components.evaluation.scoring import Scoring
from components.evaluation.settings import EvaluateSettings
from components.models.base import NORMAL
from components.models.counting_rule import RuleSettings, alarms_of, top_1

COLUMNS = ("mode", "count", "threshold", "recall", "alarms", "alarms_per_hour")


def tune(
    scoring: Scoring, hours: Mapping[str, float], settings: EvaluateSettings, own: RuleSettings | None = None
) -> tuple[dict[str, Any] | None, list[Point]]:
    """What is said of a model's alarms, as plain JSON values, and the frontier of rules on validation.

    Args:
        hours: how long each clip lasts, by clip_id.
        own: the rule that the model brings along, judged beside the chosen one.

    Returns:
        limit; frames that a rule counts over; negative: clips, hours and smallest_rate of val and test, one
        alarm in those hours, below which a rate cannot be told from none; the tuned rule and the model's own,
        each with its terms and its `components.evaluation.alarms.figures` on val and test, None where there
        is none; of its own also the alarms, clip by clip. Nothing of more than two classes, of which none is
        the normal one by its place, unless the model brings along a rule, which says so of the first.

    Raises:
        BadDataError: a clip whose length is not known.
    """
    if len(scoring.clips.classes) != 2 and (own is None or scoring.frames is None):
        return None, []
    sides = {split: _side(scoring, split, hours) for split in ("val", "test")}
    points = frontier(sides["val"])
    limit = settings.alarms_per_hour
    chosen = None if limit is None else choose(points, limit)
    told = {
        "limit": limit,
        "frames": sides["val"].scores.shape[1],
        "negative": {split: _negative(side) for split, side in sides.items()},
        "tuned": chosen and _tuned(chosen, sides, settings),
        "own": own and _own(own, scoring, sides, settings),
    }
    return told, points


def to_rows(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Rows of rules.csv: the frontier on validation."""
    return [to_dict(point.rule) | {name: getattr(point, name) for name in COLUMNS[3:]} for point in points]


def _negative(side: Side) -> dict[str, Any]:
    hours = side.negative_hours
    clips = int((~side.positive).sum())
    return {"clips": clips, "hours": hours, "smallest_rate": 1 / hours if hours else None}


def _tuned(chosen: Point, sides: Mapping[str, Side], settings: EvaluateSettings) -> dict[str, Any]:
    val, test = (chosen.rule.sounds(sides[split].scores) for split in ("val", "test"))
    return to_dict(chosen.rule) | {
        "val": figures(val, sides["val"]),
        "test": figures(test, sides["test"], settings.bootstrap),
    }


def _own(
    own: RuleSettings, scoring: Scoring, sides: Mapping[str, Side], settings: EvaluateSettings
) -> dict[str, Any] | None:
    """The counting rule as it stands; only classifiers of frames give what it counts."""
    clips, frames, times_s = scoring.clips, scoring.frames, scoring.times_s
    if frames is None or times_s is None:
        return None
    found = [
        alarms_of(*top_1(of_clip, clips.classes), times, own)
        for of_clip, times in zip(frames, times_s, strict=True)
    ]
    sounded = np.array([bool(alarms) for alarms in found], bool)
    return {
        "threshold": own.threshold / 100,
        "count": own.min_count,
        "mode": own.mode,
        "comparison": own.comparison,
        **{
            split: figures(sounded[clips.splits == split], side, settings.bootstrap)
            for split, side in sides.items()
        },
        "alarms": [
            {"clip_id": str(clips.clip_ids[i]), "split": str(clips.splits[i]), **to_dict(alarm)}
            for i, alarms in enumerate(found)
            for alarm in alarms
        ],
    }


def _side(scoring: Scoring, split: str, hours: Mapping[str, float]) -> Side:
    clips, chosen = scoring.clips, scoring.clips.splits == split
    names = [str(name) for name in clips.clip_ids[chosen]]
    unknown = [name for name in names if name not in hours]
    if unknown:
        raise BadDataError(
            f"The length of {unknown[0]} is not known",
            wanted="a row of it in outs/extract/index.csv",
            remedy="run `dvc repro`, which runs extract before evaluate",
        )
    return Side(
        _over_time(scoring)[chosen],
        clips.labels[chosen] != NORMAL,
        np.array([hours[name] for name in names], np.float64),
        clips.groups[chosen],
    )


def _over_time(scoring: Scoring) -> Floats:
    """What is said (N, T) of all classes but the first, or of anomalies: by frame or of all the clip."""
    if scoring.frame_scores is not None:
        return scoring.frame_scores
    if scoring.frames is not None:
        return scoring.frames[:, :, NORMAL + 1 :].sum(axis=-1)
    return scoring.clips.probabilities[:, NORMAL + 1 :].sum(axis=-1, keepdims=True)
