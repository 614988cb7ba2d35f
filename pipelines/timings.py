"""What a model's whole training took, kept in .tailwatch/timings/ for the report: never in outs.

It names the bundle that came of it, so that nobody reads it beside another one, which DVC took from its
cache.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.core import system
from components.core.errors import TailwatchError
from components.core.files import read_json, write_json
from components.core.memory import peak_memory_bytes
from pipelines.artifacts import Project

log = logging.getLogger("tailwatch")


@dataclass
class Effort:
    """What the process that trains a model does.

    Attributes:
        trainings: done here from their first step.
        others: gone on with from a checkpoint, or taken from the store.
    """

    started_s: float = field(default_factory=system.monotonic_s)
    trainings: int = 0
    others: int = 0

    def count(self, *, whole: bool) -> None:
        """Count a training."""
        self.trainings += whole
        self.others += not whole


def keep_timing(project: Project, model_id: str, bundle_digest: str, effort: Effort) -> None:
    """Write down what the training took, of which the bundle came."""
    values = {
        "bundle": bundle_digest,
        "seconds": system.monotonic_s() - effort.started_s,
        "peak_bytes": peak_memory_bytes(),
        "trainings": effort.trainings,
        "others": effort.others,
    }
    try:
        write_json(_path(project, model_id), values)
    except OSError as error:  # the stage's result is whole; only the report says less
        log.warning("the report will not know what the training of %s took: %s", model_id, error)


def read_timing(project: Project, model_id: str) -> dict[str, Any] | None:
    """What `keep_timing` wrote last of a model; None where there is nothing that can be read."""
    path = _path(project, model_id)
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = read_json(path)
    except TailwatchError as error:
        log.warning("%s", error)
        return None
    return found


def _path(project: Project, model_id: str) -> Path:
    return project.state("timings", f"train@{model_id}.json")
