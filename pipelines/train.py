"""train: learn a model's weights from its view.

Reads outs/reshape/<view>/, outs/ingest/labels.csv and outs/normalize/scalers.json; writes
outs/train/<model>/: bundle.json, weights.npz and history.csv. A killed training goes on from its checkpoint
in .tailwatch/checkpoints/.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from components.core.code import code_digest
from components.core.errors import BadDataError
from components.core.files import digest
from components.core.settings import to_dict
from components.core.tables import write_csv
from components.features.chain import ChainSettings
from components.features.scaler import Scaler
from components.models.base import Definition
from components.models.bundle import write_bundle
from components.models.environment import describe_environment
from components.models.registry import MODELS, definition_of, model_settings
from components.training.bundling import calibrate, describe
from components.training.checkpoint import Checkpoints
from components.training.learn import HISTORY_COLUMNS, learn
from components.training.observer import Observer, Unwatched
from components.training.settings import settings_for
from components.training.task import Task
from pipelines.artifacts import Project, read_labels, read_out

log = logging.getLogger("tailwatch")

SPLIT = "holdout"
LEARNING_CODE = ("components.training.bundling", "components.training.learn", "components.models.bundle")
NAMED = 5  # clips named in a warning, of however many


def run(project: Project, model_id: str, observer: Observer | None = None) -> None:
    """Train one model and write its bundle.

    Args:
        observer: told of the start, of every epoch and of the end.

    Raises:
        UsageError: model, settings and view do not fit each other.
        BadDataError: tensors and labels do not fit, or a class has no clips on a side.
        FinalError: nothing usable was learned, and a retry would give the same.
    """
    chosen = project.params.model(model_id)
    view = project.params.views[chosen.view]
    definition_of(model_id).check_view(chosen.view, view)
    tensors = _tensors(project, model_id)
    scaler = Scaler.from_dict(_scaler(project)) if "numbers" in tensors else None
    task, digests = read_task(project, model_id, tensors, scaler)
    checkpoints = Checkpoints(project.state("checkpoints", training_key(task, digests)))
    learned = learn(task, checkpoints, observer or Unwatched())
    chain = to_dict(_narrowed(project.params.chain, chosen.view))
    info = describe(
        task, learned, view_name=chosen.view, view=view, chain=chain, scaler=scaler, digests=digests
    )
    info = calibrate(info, task, learned, tensors.get("frames"), tensors.get("numbers"))
    folder = project.out("train", model_id)
    write_csv(folder / "history.csv", HISTORY_COLUMNS, learned.history)
    write_bundle(folder, info, learned.arrays)
    checkpoints.remove()


def read_task(
    project: Project, model_id: str, tensors: Mapping[str, np.ndarray], scaler: Scaler | None
) -> tuple[Task, dict[str, Any]]:
    """What a model is to be learned from, and the digests of data, code and networks that decide the result.

    Raises:
        UsageError: a setting that does not fit the model.
        BadDataError: a label that is none of the classes.
    """
    chosen = project.params.model(model_id)
    own = dict(chosen.settings)
    training = settings_for(model_id, project.params.train, own.pop("train", None))
    clip_ids = _clip_ids(project, chosen.view)
    rows, labels = _sides(project, clip_ids)
    task = Task(
        model_id=model_id,
        definition=definition_of(model_id),
        settings=model_settings(model_id, own),
        training=training,
        classes=project.params.dataset.classes,
        streams={**tensors, **({"numbers": scaler.apply(tensors["numbers"])} if scaler else {})},
        train_rows=rows["train"],
        val_rows=rows["val"],
        labels=labels,
    )
    digests = {
        "data": task.data_digest(clip_ids),
        "code": code_digest(*LEARNING_CODE, MODELS.module(model_id)),
        "weights": _third_party(task.definition, _narrowed(project.params.chain, chosen.view)),
    }
    return task, digests


def key_of(project: Project, model_id: str) -> str:
    """The training key of an enabled model as the project stands now; raises as `run`."""
    tensors = _tensors(project, model_id)
    scaler = Scaler.from_dict(_scaler(project)) if "numbers" in tensors else None
    return training_key(*read_task(project, model_id, tensors, scaler))


def training_key(task: Task, digests: Mapping[str, Any]) -> str:
    """The digest of all that decides the weights."""
    return digest(
        {
            "model": task.model_id,
            "settings": to_dict(task.settings),
            "training": to_dict(task.training),
            "digests": digests,
            "environment": describe_environment(),
        }
    )


def _tensors(project: Project, model_id: str) -> dict[str, np.ndarray]:
    """The tensors that the model looks at, left on disk.

    Raises:
        BadDataError: one is missing, or of another number of clips.
    """
    view = project.params.model(model_id).view
    n, folder = len(_clip_ids(project, view)), project.out("reshape", view)
    return {name: _tensor(folder / f"{name}.npy", n) for name in definition_of(model_id).streams}


def _clip_ids(project: Project, view: str) -> list[str]:
    return list(read_out(project, "reshape", view, "clips.json")["clips"])


def _tensor(path: Path, n: int) -> np.ndarray:
    found = np.load(path, mmap_mode="r", allow_pickle=False) if path.is_file() else None
    if found is None or len(found) != n:
        raise BadDataError(
            f"{path} {'is not there' if found is None else f'holds {len(found)} clips'}",
            wanted=f"a tensor of the {n} clips in clips.json beside it",
            remedy="run `dvc repro`, which runs reshape before train",
        )
    return found


def _scaler(project: Project) -> dict[str, Any]:
    scalers = read_out(project, "normalize", "scalers.json")
    if SPLIT not in scalers:
        raise BadDataError(
            f"scalers.json has {', '.join(scalers) or 'nothing'}",
            wanted=f"the scaler of `{SPLIT}`",
            remedy="run `dvc repro`, which runs normalize before train",
        )
    scaler: dict[str, Any] = scalers[SPLIT]
    return scaler


def _sides(project: Project, clip_ids: list[str]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rows of train and val in the tensors, and the label (N,) of every clip; -1 of one without a side.

    Raises:
        BadDataError: a label that is none of the classes.
    """
    place = {clip_id: k for k, clip_id in enumerate(clip_ids)}
    index = {name: k for k, name in enumerate(project.params.dataset.classes)}
    used = {clip_id: label for clip_id, label in read_labels(project).items() if label.holdout}
    absent = sorted(set(used) - set(place))
    if absent:
        named = ", ".join(absent[:NAMED]) + (", ..." if len(absent) > NAMED else "")
        log.warning("%d labelled clips have no tensors and take no part: %s", len(absent), named)
    labels = np.full(len(clip_ids), -1, np.int64)
    rows: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for clip_id in sorted(set(used) & set(place)):
        label = used[clip_id]
        if label.label not in index or label.holdout not in rows:
            raise BadDataError(
                f"{clip_id} is labelled `{label.label}` on side `{label.holdout}`",
                wanted=f"one of {', '.join(index)}, on one of {', '.join(rows)}",
                remedy="run `dvc repro`, or correct dataset.classes in params.yaml",
            )
        labels[place[clip_id]] = index[label.label]
        rows[label.holdout].append(place[clip_id])
    return {side: np.array(chosen, np.int64) for side, chosen in rows.items()}, labels


def _narrowed(chain: ChainSettings, view: str) -> ChainSettings:
    """The chain with this view alone, so that other models' views do not show in the bundle."""
    alone = replace(chain, views={view: chain.views[view]})
    return replace(alone, samplings={name: chain.samplings[name] for name in alone.frame_samplings()})


def _third_party(definition: Definition, chain: ChainSettings) -> dict[str, str]:
    """SHA-256 of the networks that the clips went through on their way to this model, by name."""
    from components.faces import build
    from components.segmentation.base import weights_digests

    if not definition.streams:
        return {}
    masks = weights_digests(chain.segment) if chain.mask_samplings() else {}
    return {**masks, **(build.weights_digests(chain.featurize) if "numbers" in definition.streams else {})}
