"""Which models the report explains, with what explaining them needs."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from components.core.errors import BadDataError, ResourceError, TailwatchError
from components.core.tables import read_csv
from components.evaluation.metrics import better
from components.evaluation.predictions import ClipPredictions, columns, from_rows
from components.evaluation.scoring import Tensors
from components.models.bundle import Bundle, read_bundle
from components.models.inner import Inner
from components.models.registry import definition_of
from pipelines.artifacts import Project
from pipelines.evaluate import read_tensors

log = logging.getLogger("tailwatch")

BUDGET = 6e11  # multiply-adds that one section may ask for: about 15 s on two cores
MOST_CLIPS = 500
SEED = 27


@dataclass(frozen=True)
class Explained:
    """One model that is explained.

    Attributes:
        bundle: of the holdout split.
        tensors: of its view.
        clips: what evaluate wrote of the clips that have tensors.
        threshold: of its probability or score.
    """

    bundle: Bundle
    tensors: Tensors
    clips: ClipPredictions
    threshold: float

    @cached_property
    def inner(self) -> Inner:
        """The model, opened."""
        given = {name: getattr(self.tensors, name) for name in ("frames", "numbers", "activations")}
        return Inner(self.bundle, {name: array for name, array in given.items() if array is not None})

    @cached_property
    def affordable(self) -> int:
        """How many clips a section may ask the model about.

        Raises:
            ResourceError: what a clip costs cannot be counted.
        """
        cost = self.inner.multiply_adds
        if cost is None:
            raise ResourceError(
                "It has a layer whose work cannot be counted",
                wanted="a known bound of the report's time",
                remedy="teach components.models.multiply_adds the layer",
            )
        return min(MOST_CLIPS, int(BUDGET // cost)) if cost else MOST_CLIPS

    def rows(self, clips: ClipPredictions) -> np.ndarray:
        """Places of clips in the tensors."""
        place = {clip_id: k for k, clip_id in enumerate(self.tensors.clip_ids)}
        return np.array([place[str(clip_id)] for clip_id in clips.clip_ids], np.int64)


class Models:
    """The compared models, each opened once.

    Args:
        comparison: what compare wrote.
    """

    def __init__(self, project: Project, comparison: Mapping[str, Any]) -> None:
        self.project = project
        self.comparison = comparison
        self._opened: dict[str, Explained] = {}

    def best_with(self, stream: str) -> str | None:
        """The challenger if it looks at a stream, else the best on validation that does; baselines last."""
        wanted = [
            item for item in self.comparison["models"] if stream in definition_of(item["model"]).streams
        ]
        best = min(wanted, key=self._place, default=None)
        return best and best["model"]

    def open(self, model_id: str) -> Explained:
        """A model with its tensors.

        Raises:
            BadDataError: bundle or tensors are missing or damaged.
        """
        if model_id not in self._opened:
            self._opened[model_id] = self._open(model_id)
        return self._opened[model_id]

    def predictions(self, model_id: str) -> ClipPredictions:
        """What evaluate wrote of all clips, in the order of their names."""
        classes = self.project.params.dataset.classes
        path = self.project.out("evaluate", model_id, "predictions.csv")
        return from_rows(read_csv(path, columns(classes)), classes).by_clip()

    def threshold(self, model_id: str) -> float:
        """From which on a clip is called the second of two classes."""
        (found,) = [item["threshold"] for item in self.comparison["models"] if item["model"] == model_id]
        return float(found)

    def _open(self, model_id: str) -> Explained:
        if not self.project.out("train", model_id, "bundle.json").is_file():
            raise BadDataError(
                "there is no bundle in outs/train", wanted="the bundle of the model", remedy="run `dvc repro`"
            )
        bundle = read_bundle(self.project.out("train", model_id))
        tensors = read_tensors(self.project, bundle.info.view_name)
        clips = self.predictions(model_id)
        known = clips.where(np.isin(clips.clip_ids, list(tensors.clip_ids)))
        return Explained(bundle, tensors, known, self.threshold(model_id))

    def _place(self, item: Mapping[str, Any]) -> tuple[bool, bool, float]:
        metric = self.comparison["choose_by"]
        value = item["splits"]["val"]["clips"]["metrics"][metric]["value"]
        sign = -1 if better(metric) == "higher" else 1
        unknown = float("inf") if value is None else sign * value
        return item["model"] != self.comparison["challenger"], item["is_baseline"], unknown


def attempt(model_id: str, explain: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a section says of a model, or `why_not`: an explanation that fails leaves the page whole."""
    try:
        return {"model": model_id, "why_not": ""} | explain()
    except TailwatchError as error:
        log.warning("%s is not explained: %s", model_id, error)
        return {"model": model_id, "why_not": error.came}


def thinned(clips: ClipPredictions, most: int) -> ClipPredictions:
    """At most so many clips, evenly taken from their order."""
    n = len(clips.clip_ids)
    if n <= most:
        return clips
    return clips.where(np.unique(np.linspace(0, n - 1, max(most, 0)).round().astype(np.int64)))
