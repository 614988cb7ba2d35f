"""train: learn a model's weights from its view, once for the holdout split and once for every fold and seed.

Reads outs/reshape/<view>/, outs/ingest/labels.csv and outs/normalize/scalers.json; writes
outs/train/<model>/: bundle.json, weights.npz and history.csv of the holdout split, and folds.csv, what the
models of the folds say of the clips that they did not learn from. Features of a frozen backbone are taken
from the store, or made and kept there, as are folds that were done. A killed training goes on from its
checkpoint in .tailwatch/checkpoints/. How long it took goes to .tailwatch/timings/.
"""

import logging
from collections.abc import Iterator
from typing import Any

from components.core.tables import write_csv
from components.models.bundle import write_bundle
from components.models.fold_table import fold_columns, fold_rows
from components.training.learn import HISTORY_COLUMNS
from components.training.observer import Observer, Unwatched
from pipelines.artifacts import Project
from pipelines.tasks import all_splits, read_work
from pipelines.timings import Effort, keep_timing
from pipelines.trainings import checkpoints_of, train_and_ask, train_bundle

log = logging.getLogger("tailwatch")


def run(project: Project, model_id: str, observer: Observer | None = None) -> None:
    """Train one model, write its bundle and what the folds' models say.

    Args:
        observer: told of the holdout split's training: its start, every epoch and its end.

    Raises:
        UsageError: model, settings and view do not fit each other.
        BadDataError: tensors and labels do not fit, or a class has no clips on a side.
        FinalError: nothing usable was learned, and a retry would give the same.
    """
    effort = Effort()
    work = read_work(project, model_id)
    checkpoints = checkpoints_of(project, work)
    effort.count(whole=not checkpoints.folder.exists())
    bundle, learned = train_bundle(project, work, checkpoints, observer or Unwatched())
    rows = list(_of_folds(project, model_id, effort))
    folder = project.out("train", model_id)
    write_csv(folder / "history.csv", HISTORY_COLUMNS, learned.history)
    write_csv(folder / "folds.csv", fold_columns(project.params.dataset.classes), rows)
    bundle = write_bundle(folder, bundle.info, learned.arrays)
    checkpoints.remove()
    keep_timing(project, model_id, bundle.digest, effort)


def _of_folds(project: Project, model_id: str, effort: Effort) -> Iterator[dict[str, Any]]:
    """Rows of folds.csv: the clips of val and test, under every split and seed but the holdout."""
    for split in all_splits(project)[1:]:
        log.info("%s: %s", model_id, split)
        asked = train_and_ask(project, read_work(project, model_id, split), effort)
        yield from fold_rows(asked.said, project.params.dataset.classes, asked.cut_short)
