"""What the report shows of models' failures: test clips that they got wrong, and that they nearly did."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.evaluation.confidence import confidence, least_sure_right, surest_wrong
from components.evaluation.predictions import ClipPredictions
from pipelines.reporting.explained import Models

WRONG_OF_BEST, UNSURE_OF_BEST, WRONG_OF_OTHERS = 8, 4, 4


def gallery_section(models: Models) -> list[dict[str, Any]]:
    """One entry per model that is no baseline, or per baseline if there is no other; the challenger first."""
    compared, best = models.comparison["models"], models.comparison["challenger"]
    learned = [item["model"] for item in compared if not item["is_baseline"]]
    names = learned or [item["model"] for item in compared]
    return [_entry(models, name, name == best) for name in sorted(names, key=lambda name: name != best)]


def gallery_clips(gallery: Sequence[Mapping[str, Any]]) -> list[str]:
    """The clips that it shows, each once."""
    rows = [row for entry in gallery for row in (*entry["wrong"], *entry["unsure"])]
    return list(dict.fromkeys(row["clip_id"] for row in rows))


def clip_row(clips: ClipPredictions, place: int, threshold: float) -> dict[str, Any]:
    """What is told of a clip under its picture; `said` is the answer's probability, or its score."""
    sure = float(confidence(clips, threshold)[place])
    scored = None if clips.scores is None else float(clips.scores[place])
    return {
        "clip_id": str(clips.clip_ids[place]),
        "source": str(clips.groups[place]),
        "label": clips.classes[clips.labels[place]],
        "predicted": clips.classes[clips.predicted[place]],
        "coverage": float(clips.coverage[place]),
        "said": f"{100 * sure:.3g} %" if scored is None else f"score {scored:.4g}, threshold {threshold:.4g}",
    }


def _entry(models: Models, model_id: str, is_best: bool) -> dict[str, Any]:
    test, threshold = models.predictions(model_id).of_split("test"), models.threshold(model_id)
    wrong = surest_wrong(test, threshold, WRONG_OF_BEST if is_best else WRONG_OF_OTHERS)
    unsure = least_sure_right(test, threshold, UNSURE_OF_BEST if is_best else 0)
    return {
        "model": model_id,
        "is_best": is_best,
        "n": len(test.clip_ids),
        "n_wrong": int(np.sum(test.predicted != test.labels)),
        "wrong": [clip_row(test, place, threshold) for place in wrong],
        "unsure": [clip_row(test, place, threshold) for place in unsure],
    }
