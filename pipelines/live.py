"""Training in sight of MLflow: every epoch is there while the next one runs."""

from collections.abc import Mapping
from typing import Any

import yaml

from components.core.code import code_digest
from components.models.base import KerasDefinition
from components.models.registry import MODELS, definition_of
from components.tracking.live import LiveRun
from components.tracking.records import RunRecord
from components.tracking.runs import RunBook
from components.tracking.store import open_store
from pipelines import train
from pipelines.artifacts import Project
from pipelines.params import PARAMS_FILE
from pipelines.provenance import provenance_so_far
from pipelines.records import train_key, train_params
from pipelines.stage_graph import declared
from pipelines.tasks import LEARNING_CODE


def train_watched(project: Project, model_id: str) -> None:
    """Train a model; one that learns in epochs is filed in MLflow as far as MLflow answers."""
    if not isinstance(definition_of(model_id), KerasDefinition):
        train.run(project, model_id)
        return
    observer = watch(project, model_id)
    try:
        train.run(project, model_id, observer)
    except Exception:
        observer.abort("FAILED")
        raise
    except BaseException:
        observer.abort("KILLED")
        raise


def watch(project: Project, model_id: str) -> LiveRun:
    """The observer of a model's training, under the key by which `tailwatch track` finds the run again."""
    params = stage_params(project, model_id)
    state = provenance_so_far(project.root)
    code = code_digest(*LEARNING_CODE, MODELS.module(model_id))
    record = RunRecord(
        f"train@{model_id}",
        train_key(model_id, params, state.made(*data_read(project, model_id)), code),
        params=train_params(model_id, params),
        tags={"tailwatch.model_id": model_id},
        origin=state.tags(),
    )
    return LiveRun(lambda: RunBook(open_store(project.root), project.params.track.experiment), record)


def data_read(project: Project, model_id: str) -> tuple[str, ...]:
    """What train learns from, as dvc.yaml lists it."""
    return tuple(dep for dep in _declared(project, model_id, "deps") if dep.startswith("outs/"))


def stage_params(project: Project, model_id: str) -> dict[str, Any]:
    """The stage's parameters under the names and with the values that dvc.lock will have."""
    values = yaml.safe_load((project.root / PARAMS_FILE).read_text(encoding="utf-8"))
    return {name: _at(values, name) for name in _declared(project, model_id, "params")}


def _declared(project: Project, model_id: str, what: str) -> list[str]:
    """The deps or params of a model's train stage in dvc.yaml."""
    item = {"${key}": model_id, "${item.view}": project.params.model(model_id).view}
    return [_filled(text, item) for text in declared(project.root, "train", what)]


def _filled(text: str, item: Mapping[str, str]) -> str:
    for name, value in item.items():
        text = text.replace(name, value)
    return text


def _at(values: Any, name: str) -> Any:
    for part in name.split("."):
        values = values[part]
    return values
