"""What the report says of the best model's parts over all folds: its classes and its sources."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from components.core.tables import read_csv
from components.evaluation.folds import joined
from components.evaluation.metrics import Scored
from components.evaluation.predictions import columns, parts_of
from components.evaluation.settings import BootstrapSettings
from components.evaluation.summary import summarise
from pipelines.artifacts import Project

SOURCES_SHOWN = 15


def breakdown_section(project: Project, folds: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Recall by class and accuracy by source group of the most accurate model; None without folds.

    Args:
        folds: the section that `folds_section` gave.
    """
    if folds is None:
        return None
    model = folds["rows"][0]["model"]
    classes = project.params.dataset.classes
    rows = read_csv(project.out("evaluate", model, "folds.csv"), ("seed", *columns(classes)))
    scored = joined(parts_of(rows, classes))
    n_seeds = len(folds["seeds"])
    sources = by_source(scored, n_seeds)
    return {
        "model": model,
        "n_seeds": n_seeds,
        "classes": by_class(scored, n_seeds, project.params.evaluate.bootstrap),
        "sources": sources[:SOURCES_SHOWN],
        "n_sources": len(sources),
        "n_at_zero": sum(row["accuracy"] == 0.0 for row in sources),
    }


def by_class(scored: Scored, n_seeds: int, settings: BootstrapSettings) -> list[dict[str, Any]]:
    """Recall of each class with its interval, and its clips and source groups."""
    metrics = summarise(scored, settings)["metrics"]
    return [
        {
            "name": name,
            "recall": metrics[f"recall_{name}"],
            "n": int((scored.labels == k).sum()) // n_seeds,
            "n_groups": len(np.unique(scored.groups[scored.labels == k])),
        }
        for k, name in enumerate(scored.classes)
    ]


def by_source(scored: Scored, n_seeds: int) -> list[dict[str, Any]]:
    """Accuracy over all seeds of each source group, the worst first; of equals the largest."""
    right = scored.predicted == scored.labels
    rows = [
        {
            "source": str(source),
            "accuracy": float(right[here].mean()),
            "n": int(here.sum()) // n_seeds,
            "classes": [scored.classes[k] for k in np.unique(scored.labels[here])],
        }
        for source, here in ((source, scored.groups == source) for source in np.unique(scored.groups))
    ]
    return sorted(rows, key=lambda row: (row["accuracy"], -row["n"], row["source"]))
