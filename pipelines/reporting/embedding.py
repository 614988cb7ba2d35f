"""What the report says of the challenger's features: which clips it finds alike, laid out by t-SNE."""

from typing import Any

import numpy as np
from markupsafe import Markup

from components.core.errors import BadDataError
from components.evaluation.embedding import lay_out, perplexity
from components.evaluation.predictions import ClipPredictions
from components.serving.charts import Spot, scatter_plot
from pipelines.reporting.explained import SEED, Explained, Models, attempt, thinned

SIDES = ("val", "test")
CLASS_COLOURS = (2, 1, 3, 0, 4, 5, 6, 7)  # as the page colours the names of classes


def embedding_section(models: Models) -> dict[str, Any] | None:
    """The section's contents; None without a challenger."""
    model_id = models.comparison["challenger"]
    return None if model_id is None else attempt(model_id, lambda: _drawn(models.open(model_id)))


def scatter(clips: ClipPredictions, places: np.ndarray) -> str:
    """Clips at their places (N, 2): class by colour, side by filling, wrong answers crossed."""
    spots = [
        Spot(
            *(float(x), float(y), CLASS_COLOURS[clips.labels[k] % len(CLASS_COLOURS)]),
            note=_note(clips, k),
            is_hollow=str(clips.splits[k]) == "val",
            is_crossed=bool(clips.predicted[k] != clips.labels[k]),
        )
        for k, (x, y) in enumerate(places)
    ]
    wrong = int((clips.predicted != clips.labels).sum())
    return scatter_plot(spots, summary=f"{len(spots)} clips by what the model makes of them, {wrong} wrong")


def _drawn(model: Explained) -> dict[str, Any]:
    shown = model.clips.where(np.isin(model.clips.splits, SIDES))
    clips = thinned(shown, model.affordable)
    values, of_network = _values(model, clips)
    return {
        "chart": Markup(scatter(clips, lay_out(values, SEED))),  # noqa: S704
        "of_network": of_network,
        "width": values.shape[1],
        "perplexity": perplexity(len(values)),
        "n": len(clips.clip_ids),
        "n_all": len(shown.clip_ids),
    }


def _values(model: Explained, clips: ClipPredictions) -> tuple[np.ndarray, bool]:
    """Features (N, D) of the clips, and whether a network made them.

    A model in closed form has none, so these are its inputs, standardised over the clips that are shown.
    """
    inner, rows = model.inner, model.rows(clips)
    if inner.has_classifier:
        return inner.last_inputs(rows), True
    if inner.is_network or not inner.streams:
        raise BadDataError(
            "it has no layer that tells classes apart, and no numbers in place of one",
            wanted="a network that ends in a classifier, or a model in closed form with inputs",
            remedy="look at the scores of anomalies",
        )
    given = inner.given(rows)
    spread = given.std(axis=0)
    return (given - given.mean(axis=0)) / np.where(spread > 0, spread, 1.0), False


def _note(clips: ClipPredictions, k: int) -> str:
    label, predicted = (clips.classes[of[k]] for of in (clips.labels, clips.predicted))
    verdict = "right" if label == predicted else f"called {predicted}"
    return f"{clips.clip_ids[k]}, {clips.groups[k]}: {label}, {verdict} ({clips.splits[k]})"
