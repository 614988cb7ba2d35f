"""What the report says of inputs: how much worse a model judges clips that are given other clips' numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from components.evaluation.importance import METRICS, Ask, Importance, permutation_importance
from components.evaluation.metrics import number_or_none
from components.features.groups import activation_groups, number_groups, single_numbers
from components.serving.charts import Axis, Range, forest_plot
from pipelines.reporting.explained import SEED, Explained, Models, attempt, thinned

REPEATS = 10
MOST_VALUES = 6_000_000  # of all clips: bounds time and memory
NAMES = {"accuracy": "accuracy", "roc_auc": "ROC AUC"}
Groups = Mapping[str, Sequence[int] | slice]


def importance_section(models: Models) -> list[dict[str, Any]]:
    """One entry for the best model with numbers, one for the best with activations, where there are any."""
    tables: dict[str, dict[str, Groups]] = {
        "numbers": {"kinds": number_groups(), "single numbers": single_numbers()},
        "activations": {"networks and their windows": activation_groups()},
    }
    entries = (_entry(models, stream, groups) for stream, groups in tables.items())
    return [entry for entry in entries if entry is not None]


def importance_charts(found: Importance) -> list[Markup]:
    """One chart for each metric that is defined: the mean drop of each group, its standard deviation."""
    return [Markup(_chart(found, metric)) for metric in METRICS if not np.isnan(found.whole[metric])]  # noqa: S704


def _entry(models: Models, stream: str, tables: Mapping[str, Groups]) -> dict[str, Any] | None:
    model_id = models.best_with(stream)
    if model_id is None:
        return None
    about = {"stream": stream, "challenger": model_id == models.comparison["challenger"]}
    return about | attempt(model_id, lambda: _explained(models.open(model_id), stream, tables))


def _explained(model: Explained, stream: str, tables: Mapping[str, Groups]) -> dict[str, Any]:
    array = getattr(model.tensors, stream)
    test = model.clips.of_split("test")
    clips = thinned(test, min(model.affordable, MOST_VALUES // max(1, array[0].size)))
    rows = model.rows(clips)
    ask = model.inner.beside_frames(rows) if stream == "numbers" else _asks_activations(model)
    found = {
        name: permutation_importance(
            ask, array[rows], groups, clips.labels, clips.classes, repeats=REPEATS, seed=SEED
        )
        for name, groups in tables.items()
    }
    return {
        "charts": {name: importance_charts(importance) for name, importance in found.items()},
        "whole": {name: number_or_none(value) for name, value in next(iter(found.values())).whole.items()},
        "n": len(clips.clip_ids),
        "n_all": len(test.clip_ids),
        "n_groups": len(np.unique(clips.groups)),
        "repeats": REPEATS,
    }


def _asks_activations(model: Explained) -> Ask:
    return lambda activations: model.bundle.predict(None, None, activations=activations)


def _chart(found: Importance, metric: str) -> str:
    drops = {name: drop[metric] for name, drop in found.drops.items()}
    rows = [
        Range(
            *(name, drop.mean, drop.mean - drop.spread, drop.mean + drop.spread),
            note=f"{name}: {drop.mean:+.3f}, standard deviation {drop.spread:.3f}",
        )
        for name, drop in drops.items()
    ]
    low, high = min(0.0, *(row.low or 0.0 for row in rows)), max(0.0, *(row.high or 0.0 for row in rows))
    margin = 0.04 * (high - low) or 0.05
    return forest_plot(
        rows,
        Axis(f"drop of {NAMES[metric]}", low - margin, high + margin),
        marks=[(0.0, "")],
        bars=True,
        summary=f"Drop of {NAMES[metric]} on test when inputs are exchanged between clips",
    )
