"""What the report says of scorers of anomalies: how well they rank, and the course of one clip."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.core.tables import read_csv
from components.evaluation.predictions import ClipPredictions, columns, from_rows
from components.serving.charts import Axis, Series, line_chart
from pipelines.artifacts import Project

POSITIVE = 1  # of the two classes of a scorer of anomalies


def anomalies_section(project: Project, comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry per scorer of anomalies, in the order of the comparison."""
    classes = project.params.dataset.classes
    found = []
    for model in comparison["models"]:
        rows = read_csv(project.out("evaluate", model["model"], "predictions.csv"), columns(classes))
        clips = from_rows(rows, classes)
        if clips.scores is not None:
            found.append(_entry(project, model, median_clip(clips)))
    return found


def median_clip(clips: ClipPredictions) -> tuple[str, str] | None:
    """Name and source of the positive test clip whose score is the median, the lower of two; None without."""
    chosen = clips.of_split("test")
    chosen = chosen.where(chosen.labels == POSITIVE).by_clip()
    if chosen.scores is None or not len(chosen.scores):
        return None
    place = np.argsort(chosen.scores, kind="stable")[(len(chosen.scores) - 1) // 2]
    return str(chosen.clip_ids[place]), str(chosen.groups[place])


def frame_scores(project: Project, model_id: str, clip_id: str) -> list[tuple[int, float]]:
    """Places in the view of a clip's S frames that have scores, in order, and these."""
    rows = read_csv(project.out("evaluate", model_id, "frames.csv"), ("clip_id", "k", "score"))
    return sorted((int(row["k"]), float(row["score"])) for row in rows if row["clip_id"] == clip_id)


def course_chart(model_id: str, course: Sequence[tuple[int, float]], threshold: float) -> str:
    """Scores of a clip's frames over their places, with the threshold; empty where there are not two."""
    if len(course) < 2:
        return ""
    places, scores = zip(*course, strict=True)
    low, high = min(*scores, threshold), max(*scores, threshold)
    margin = 0.08 * (high - low) or 1.0
    first, last = places[0], places[-1]
    notes = [f"frame {k}: {score:.4g}" for k, score in course]
    above = sum(score >= threshold for score in scores)
    return line_chart(
        [
            Series(model_id, list(course), colour=0, dots=True, notes=notes),
            Series("threshold", [(first, threshold), (last, threshold)], colour=1, dashed=True),
        ],
        Axis("frame", first, last),
        Axis("score", low - margin, high + margin),
        summary=f"Scores of {model_id} by frame: {above} of {len(scores)} at or above "
        f"the threshold {threshold:.4g}",
    )


def _entry(project: Project, model: Mapping[str, Any], clip: tuple[str, str] | None) -> dict[str, Any]:
    name, test = model["model"], model["splits"]["test"]
    course = [] if clip is None else frame_scores(project, name, clip[0])
    return {
        "model": name,
        "clip_id": clip and clip[0],
        "source": clip and clip[1],
        "threshold": model["threshold"],
        "chart": course_chart(name, course, model["threshold"]),
        "clips": test["clips"]["metrics"]["roc_auc"] | {"n": test["clips"]["n"]},
        "frames": test["frames"] and test["frames"]["metrics"]["roc_auc"] | {"n": test["frames"]["n"]},
    }
