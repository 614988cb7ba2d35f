"""score: an operator's question about one video, through the same way as training's clips."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.errors import BadDataError, ResourceError, TailwatchError, of_system
from components.core.settings import to_dict
from components.models.counting_rule import Alarm, in_words
from pipelines.artifacts import Project

if TYPE_CHECKING:
    from components.serving.predictor import Scorer

log = logging.getLogger("tailwatch")


def run(project: Project, videos: Sequence[Path], model: str) -> list[dict[str, Any]]:
    """The verdict on each video.

    Args:
        project: whose MLflow registry is asked when `model` is a URI.
        videos: files to score.
        model: a bundle's folder, or a model URI such as models:/tailwatch@champion.
    """
    from components.serving.predictor import load
    from components.serving.score_log import scores_place
    from components.tracking.store import connect

    if "://" in model or model.startswith("models:/"):
        connect(project.root)
    scorer = load(model)
    scorer.scores = scores_place(project.root)
    rows = []
    for k, video in enumerate(videos, start=1):
        rows.append(_row(scorer, video))
        log.info("%d of %d: %s is %s", k, len(videos), video, rows[-1]["class"] or "not scored")
    return rows


def for_people(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its alarms in words."""
    if "alarms" not in row:
        return row
    return row | {"alarms": in_words([Alarm(**alarm) for alarm in row["alarms"]])}


def _row(scorer: "Scorer", video: Path) -> dict[str, Any]:
    """One video's verdict; one that cannot be read says why and keeps none of the others waiting."""
    try:
        score = scorer.score(video)
    except (BadDataError, ResourceError) as error:
        return _refused(video, error)
    except OSError as error:
        return _refused(video, of_system(error))
    named = {f"p_{name}": probability for name, probability in score.probabilities.items()}
    problem = "; ".join(score.warnings) or None
    return {
        "video": str(video),
        "class": score.label,
        **named,
        **({} if score.score is None else {"score": score.score, "threshold": score.threshold}),
        "coverage": score.coverage,
        **({} if score.alarms is None else {"alarms": [to_dict(alarm) for alarm in score.alarms]}),
        "problem": problem,
    }


def _refused(video: Path, error: TailwatchError) -> dict[str, Any]:
    return {"video": str(video), "class": None, "coverage": None, "problem": str(error)}
