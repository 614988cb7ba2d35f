"""score: an operator's question about one video, through the same way as training's clips."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.artifacts import Project


def run(project: Project, videos: Sequence[Path], model: str) -> list[dict[str, Any]]:
    """The verdict on each video.

    Args:
        project: whose MLflow registry is asked when `model` is a URI.
        videos: files to score.
        model: a bundle's folder, or a model URI such as models:/tailwatch@champion.
    """
    from components.serving.predictor import load
    from components.tracking.store import connect

    if "://" in model or model.startswith("models:/"):
        connect(project.root)
    scorer = load(model)
    return [_row(video, scorer.score(video)) for video in videos]


def _row(video: Path, score: Any) -> dict[str, Any]:
    return {
        "video": str(video),
        "class": score.label,
        "probability": score.probability,
        "coverage": score.coverage,
        "warnings": "; ".join(score.warnings) or None,
    }
