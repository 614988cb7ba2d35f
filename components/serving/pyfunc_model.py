"""The registered model as MLflow runs it: videos in, classes with their probabilities out.

MLflow reads this file as text and runs it (models from code), so nothing of ours is ever unpickled. Each row
of the input holds one video: a path, the file's content as bytes, or, over HTTP, a data: URI.
"""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from components.core.errors import BadDataError
from components.models.counting_rule import in_words
from components.serving.predictor import Score, Scorer, load


class TailwatchModel(PythonModel):  # type: ignore[misc]
    """Scores the videos of a table or list."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the bundle that lies beside the code."""
        self._scorer: Scorer = load(Path(context.artifacts["bundle"]))

    def predict(  # type: ignore[override]  # MLflow finds out by itself whether there is a context
        self,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """One row per video: class, probability, score, coverage, threshold, alarms, warnings.

        As in `components.serving.predictor.Score`; the alarms in words.

        Raises:
            BadDataError: a row without exactly one video, or a file that is none.
        """
        return pd.DataFrame([_row(self._scorer.score(video)) for video in videos(model_input)])


def videos(given: Any) -> Iterator[str | bytes]:
    """The videos of a DataFrame, a list or a single value, in order.

    Raises:
        BadDataError: a row without exactly one video.
    """
    rows: Iterable[Any]
    if isinstance(given, pd.DataFrame):
        rows = ([cell for cell in row if not _is_missing(cell)] for row in given.itertuples(index=False))
    else:
        rows = ([item] for item in (given if isinstance(given, list) else [given]))
    for number, row in enumerate(rows):
        if len(row) != 1 or not isinstance(row[0], str | bytes | bytearray):
            raise BadDataError(
                f"Row {number} holds {len(row)} values",
                wanted="one path, or one file's bytes",
                remedy="mend the row",
            )
        yield _content(row[0])


def _content(video: str | bytes | bytearray) -> str | bytes:
    if isinstance(video, bytearray):
        return bytes(video)
    if isinstance(video, str) and video.startswith("data:"):
        return base64.b64decode(video.partition(",")[2], validate=True)
    return video


def _is_missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and cell != cell)


def _row(score: Score) -> dict[str, Any]:
    return {
        "class": score.label,
        "probability": score.probability,
        "score": score.score,
        "coverage": score.coverage,
        "threshold": score.threshold,
        "alarms": None if score.alarms is None else in_words(score.alarms),
        "warnings": "; ".join(score.warnings),
    }


set_model(TailwatchModel())
