"""What the report says of costs: what each model asks of this machine, beside what it is worth."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.core.errors import TailwatchError
from components.core.files import digest, read_json, write_json
from components.core.settings import parse, to_dict
from components.models.bundle import BUNDLE_FILE
from components.models.cost import Cost, cost_of, machine_facts
from pipelines.artifacts import Project
from pipelines.timings import read_timing

log = logging.getLogger("tailwatch")

Measure = Callable[[Path], Cost]


def costs_section(
    project: Project, comparison: Mapping[str, Any], measure: Measure = cost_of
) -> dict[str, Any]:
    """The section's contents: one row per model, the most accurate first.

    Args:
        measure: gives the cost of the bundle in a folder; asked once per bundle and machine.
    """
    facts = machine_facts()
    worth = accuracies(comparison)
    rows = [_row(project, name, worth[name], facts, measure) for name in worth]
    rows.sort(key=lambda row: (-(row["accuracy"]["value"] or 0.0), row["model"]))
    return {
        "rows": [row | {"outdone_by": outdone_by(row, rows)} for row in rows],
        "machine": f"{facts['processor']}, {facts['cores']} cores",
        "over_folds": comparison["folds"] is not None,
    }


def accuracies(comparison: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Accuracy with bounds by model: over all folds where there are folds, else on the test clips."""
    if comparison["folds"] is not None:
        return {model["model"]: model["metrics"]["accuracy"] for model in comparison["folds"]["models"]}
    return {
        model["model"]: model["splits"]["test"]["clips"]["metrics"]["accuracy"]
        for model in comparison["models"]
    }


def outdone_by(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """The fastest model that is at least as accurate and faster; empty where there is none."""
    if row["cost"] is None:
        return ""
    better = [
        other
        for other in rows
        if other["cost"] is not None
        and other["cost"].p50_ms < row["cost"].p50_ms
        and (other["accuracy"]["value"] or 0.0) >= (row["accuracy"]["value"] or 0.0)
    ]
    return min(better, key=lambda other: other["cost"].p50_ms)["model"] if better else ""


def _row(
    project: Project, model_id: str, accuracy: Mapping[str, Any], facts: Mapping[str, str], measure: Measure
) -> dict[str, Any]:
    folder = project.out("train", model_id)
    row: dict[str, Any] = {"model": model_id, "accuracy": accuracy, "cost": None, "training": None}
    if not (folder / BUNDLE_FILE).is_file():
        why = "there is no bundle in outs/train"
        return row | {"why_no_cost": why, "why_no_training": why}
    bundle = digest(read_json(folder / BUNDLE_FILE))
    cost, why_no_cost = _kept_cost(project, folder, bundle, facts, measure)
    training, why_no_training = _training(project, model_id, bundle)
    return row | {
        "cost": cost,
        "why_no_cost": why_no_cost,
        "training": training,
        "why_no_training": why_no_training,
    }


def _kept_cost(
    project: Project, folder: Path, bundle: str, facts: Mapping[str, str], measure: Measure
) -> tuple[Cost | None, str]:
    """The cost, or why there is none; measured where this bundle was not yet measured on this machine."""
    path = project.state("costs", f"{bundle[:32]}-{digest(dict(facts))[:16]}.json")
    try:
        if path.is_file():
            return parse(Cost, read_json(path), str(path)), ""
        log.info("Measuring what %s costs", folder.name)
        cost = measure(folder)
        write_json(path, to_dict(cost))
    except TailwatchError as error:
        log.warning("%s", error)
        return None, error.came
    return cost, ""


def _training(project: Project, model_id: str, bundle: str) -> tuple[dict[str, Any] | None, str]:
    """What the training of a bundle took, or why that is not known."""
    found = read_timing(project, model_id)
    if found is None:
        return None, "it was trained elsewhere, or by an older version"
    if found["bundle"] != bundle:
        return None, "the bundle came from DVC's cache: the last training here gave another"
    return found, ""
