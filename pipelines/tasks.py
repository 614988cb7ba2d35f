"""What a model is to be learned from in one split, read from the outs before train."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from components.core.code import code_digest
from components.core.errors import BadDataError
from components.core.files import digest
from components.core.settings import to_dict
from components.datasets.clips import SIDES
from components.features.keys import ChainSettings, needs_masks
from components.features.scaler import Scaler
from components.models.base import Definition, KerasDefinition
from components.models.environment import describe_environment
from components.models.library import on_gpu
from components.models.registry import MODELS, definition_of, model_settings
from components.training.settings import settings_for
from components.training.task import Task
from components.training.tensors import TensorFile
from pipelines.artifacts import HOLDOUT, Project, read_labels, read_out, read_sides

log = logging.getLogger("tailwatch")

LEARNING_CODE = ("components.training.bundling", "components.training.learn", "components.models.bundle")
NAMED = 5  # clips named in a warning, of however many


@dataclass(frozen=True)
class Work:
    """A training that is to be done.

    Attributes:
        task: what is learned from; its numbers are standardised.
        split, seed: the split whose train side it is, and the seed of training.
        tensors: of the model's streams, unscaled, as its bundle takes them.
        clip_ids: of all clips, by their place in the tensors.
        rows: places of the clips of each side.
        chain: settings of a clip's way to the view, as plain values.
        scaler: None for a model that looks at no numbers.
        digests: of data, code and third-party networks, which decide the result.
    """

    task: Task
    split: str
    seed: int
    tensors: Mapping[str, np.ndarray]
    clip_ids: list[str]
    rows: Mapping[str, np.ndarray]
    chain: dict[str, Any]
    scaler: Scaler | None
    digests: dict[str, Any]

    @property
    def key(self) -> str:
        """The digest of all that decides the weights."""
        return digest(
            {
                "model": self.task.model_id,
                "settings": to_dict(self.task.settings),
                "training": to_dict(self.task.training),
                "digests": self.digests,
                "environment": describe_environment(),
                "on_gpu": isinstance(self.task.definition, KerasDefinition) and on_gpu(),
            }
        )


def read_work(project: Project, model_id: str, split: str = HOLDOUT) -> Work:
    """What a model is to be learned from in a split, with the split's own seed of training.

    Raises:
        UsageError: a setting that does not fit the model.
        BadDataError: tensors and labels do not fit, or a label is none of the classes.
    """
    chosen = project.params.model(model_id)
    own = dict(chosen.settings)
    training = settings_for(model_id, project.params.train, own.pop("train", None))
    fold = project.params.protocol.fold_splits.get(split)
    training = training if fold is None else replace(training, seed=fold.seed)
    tensors = _tensors(project, model_id)
    scaler = Scaler.from_dict(_scaler(project, split)) if "numbers" in tensors else None
    about = _about(project, chosen.view)
    clip_ids = list(about["clips"])
    frames = about.get("frames", {})
    rows, labels = _sides(project, clip_ids, split)
    chain = _narrowed(project.params.chain, chosen.view)
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
        groups=_groups(project, clip_ids),
        test_rows=np.zeros(0, np.int64) if split == HOLDOUT else rows["test"],
        digests={"frames": frames["digests"]} if frames and "frames" in tensors else {},
        files=frames.get("files", ()),
        root=project.root,
    )
    digests = {
        "data": task.data_digest(clip_ids),
        "code": code_digest(*LEARNING_CODE, MODELS.module(model_id)),
        "weights": _third_party(task.definition, chain),
    }
    return Work(task, split, training.seed, tensors, clip_ids, rows, to_dict(chain), scaler, digests)


def all_splits(project: Project) -> tuple[str, ...]:
    """The split of every training of a model, the holdout first."""
    return (HOLDOUT, *project.params.protocol.fold_splits)


def _tensors(project: Project, model_id: str) -> dict[str, np.ndarray]:
    """The tensors that the model looks at, left on disk; frames are not even opened before they are read.

    Raises:
        BadDataError: one is missing, or of another number of clips.
    """
    view = project.params.model(model_id).view
    about, folder = _about(project, view), project.out("reshape", view)
    n = len(about["clips"])
    return {
        name: _tensor(folder / f"{name}.npy", n, about.get(name, {}).get("shape"))
        for name in definition_of(model_id).streams
    }


def _about(project: Project, view: str) -> dict[str, Any]:
    about: dict[str, Any] = read_out(project, "reshape", view, "clips.json")
    return about


def _tensor(path: Path, n: int, shape: Sequence[int] | None) -> np.ndarray:
    """The tensor of n clips in a file, opened now unless its shape is known."""
    found: np.ndarray | None = None
    if path.is_file():
        found = (
            cast(np.ndarray, TensorFile(path, tuple(shape)))
            if shape
            else np.load(path, mmap_mode="r", allow_pickle=False)
        )
    if found is None or len(found) != n:
        raise BadDataError(
            f"{path} {'is not there' if found is None else f'holds {len(found)} clips'}",
            wanted=f"a tensor of the {n} clips in clips.json beside it",
            remedy="run `dvc repro`, which runs reshape before train",
        )
    return found


def _scaler(project: Project, split: str) -> dict[str, Any]:
    scalers = read_out(project, "normalize", "scalers.json")
    if split not in scalers:
        raise BadDataError(
            f"scalers.json has {', '.join(scalers) or 'nothing'}",
            wanted=f"the scaler of `{split}`",
            remedy="run `dvc repro`, which runs normalize before train",
        )
    scaler: dict[str, Any] = scalers[split]
    return scaler


def _sides(project: Project, clip_ids: list[str], split: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Places in the tensors of each side's clips, and the label (N,) of every clip; -1 of one without a side.

    Raises:
        BadDataError: a label that is none of the classes.
    """
    place = {clip_id: k for k, clip_id in enumerate(clip_ids)}
    index = {name: k for k, name in enumerate(project.params.dataset.classes)}
    side_of, label_of = read_sides(project, split), read_labels(project)
    absent = sorted(set(side_of) - set(place))
    if absent:
        named = ", ".join(absent[:NAMED]) + (", ..." if len(absent) > NAMED else "")
        log.warning("%d labelled clips have no tensors and take no part: %s", len(absent), named)
    labels = np.full(len(clip_ids), -1, np.int64)
    rows: dict[str, list[int]] = {side: [] for side in SIDES}
    for clip_id in sorted(set(side_of) & set(place)):
        label, side = label_of[clip_id].label, side_of[clip_id]
        if label not in index or side not in rows:
            raise BadDataError(
                f"{clip_id} is labelled `{label}` on side `{side}`",
                wanted=f"one of {', '.join(index)}, on one of {', '.join(rows)}",
                remedy="run `dvc repro`, or correct dataset.classes in params.yaml",
            )
        labels[place[clip_id]] = index[label]
        rows[side].append(place[clip_id])
    return {side: np.array(chosen, np.int64) for side, chosen in rows.items()}, labels


def _groups(project: Project, clip_ids: list[str]) -> np.ndarray:
    """Source group (N,) of every clip; a clip without label is its own."""
    labels = read_labels(project)
    return np.array([labels[name].source if name in labels else name for name in clip_ids])


def _narrowed(chain: ChainSettings, view: str) -> ChainSettings:
    """The chain with this view alone, so that other models' views do not show in the bundle."""
    alone = replace(chain, views={view: chain.views[view]})
    return replace(alone, samplings={name: chain.samplings[name] for name in alone.frame_samplings()})


def _third_party(definition: Definition, chain: ChainSettings) -> dict[str, str]:
    """SHA-256 of the networks that the clips went through on their way to this model, by name.

    Args:
        chain: with the model's view alone.
    """
    from components.faces import build
    from components.features import activations
    from components.segmentation.base import weights_digests

    cut_out = "frames" in definition.streams and any(map(needs_masks, chain.views.values()))
    measured = "numbers" in definition.streams and chain.featurize.look_in != "frame"
    masks = weights_digests(chain.segment) if cut_out or measured else {}
    faces = build.weights_digests(chain.featurize) if "numbers" in definition.streams else {}
    poses = activations.weights_digests() if "activations" in definition.streams else {}
    return {**masks, **faces, **poses}
