"""A training and what its model says of the clips that it did not learn from, kept in the store."""

from dataclasses import dataclass

import numpy as np

from components.core.files import digest
from components.models.bundle import Bundle
from components.models.fold_table import Said
from components.store.store import StoredObject
from components.training.bundling import answers, calibrate, describe
from components.training.checkpoint import Checkpoints
from components.training.features import Features
from components.training.learn import Learned, learn
from components.training.observer import Observer, Unwatched
from pipelines.artifacts import Project
from pipelines.tasks import Work
from pipelines.timings import Effort

KIND = "folds"  # of the store's objects
TOLD = ("epochs", "cut_short")  # of a training's outcome, kept beside its answers


@dataclass(frozen=True)
class Asked:
    """A training that was done, here or before.

    Attributes:
        key: the digest of all that decides the answers.
        said: of val clips, then test clips.
        epochs: None where it was kept without them.
        cut_short: whether the budget of steps ended it; None where that was not kept.
    """

    key: str
    said: Said
    epochs: int | None
    cut_short: bool | None


def checkpoints_of(project: Project, work: Work) -> Checkpoints:
    """Where an unfinished training is gone on from."""
    return Checkpoints(project.state("checkpoints", work.key))


def key_of(work: Work) -> str:
    """The digest of all that decides what a training's model says of its val and test clips."""
    return digest({"training": work.key, "test": work.task.digest_of(work.clip_ids, work.rows["test"])})


def train_bundle(
    project: Project, work: Work, checkpoints: Checkpoints, observer: Observer
) -> tuple[Bundle, Learned]:
    """A calibrated bundle, not written yet."""
    view = project.params.model(work.task.model_id).view
    features = Features(project.store, project.state("features"))
    learned = learn(work.task, checkpoints, observer, features)
    info = describe(
        work.task,
        learned,
        view_name=view,
        view=project.params.views[view],
        chain=work.chain,
        scaler=work.scaler,
        digests=work.digests,
    )
    info = calibrate(info, work.task, learned, **_tensors(work))
    return Bundle(info, learned.arrays), learned


def train_and_ask(project: Project, work: Work, effort: Effort) -> Asked:
    """Train, unless the store has it, and ask about the val and test clips; `work.task` knows the test clips.

    Args:
        effort: is told of the training.
    """
    places = [(side, row) for side in ("val", "test") for row in work.rows[side]]
    stored = _stored(project, work, effort)
    said = Said(
        work.split,
        work.seed,
        [work.clip_ids[row] for _, row in places],
        [side for side, _ in places],
        stored["predicted"],
        stored["clip"],
        stored["raw"],
        stored["scores"] if stored.meta["scored"] else None,
    )
    return Asked(stored.key, said, stored.meta.get("epochs"), stored.meta.get("cut_short"))


def _tensors(work: Work) -> dict[str, np.ndarray | None]:
    return {name: work.tensors.get(name) for name in ("frames", "numbers", "activations")}


def _stored(project: Project, work: Work, effort: Effort) -> StoredObject:
    """What a model says of val clips, then test clips: `predicted` (n,), `clip` and `raw` (n, K)."""
    key = key_of(work)
    made: list[bool] = []

    def make() -> StoredObject:
        checkpoints = checkpoints_of(project, work)
        made.append(not checkpoints.folder.exists())
        bundle, learned = train_bundle(project, work, checkpoints, Unwatched())
        asked = np.concatenate([work.rows["val"], work.rows["test"]])
        said = answers(bundle, learned, asked, **_tensors(work))
        arrays = {"predicted": said.predicted, "clip": said.clip, "raw": said.raw}
        scored = {} if said.scores is None else {"scores": said.scores}
        told = {name: learned.outcome[name] for name in TOLD}
        stored = project.store.put(KIND, key, arrays | scored, {"scored": bool(scored)} | told)
        checkpoints.remove()
        return stored

    stored = project.store.take(KIND, key, make)
    effort.count(whole=any(made))
    return stored
