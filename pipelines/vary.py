"""`tailwatch vary`: one model under every combination of some settings, judged on val and on test.

Trained as train does it, on the holdout split, or on every fold and seed where the protocol has folds; what
was trained is kept in the store, so that nothing is trained twice. Writes a table and a chart to
reports/variations/, and nothing to outs/.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np

from components.core.errors import FinalError
from components.core.files import digest, write_text
from components.core.tables import write_csv
from components.datasets.clips import Label
from components.evaluation.folds import clips_of_fold, summarise_folds
from components.models.base import KerasDefinition
from components.models.networks import build_network
from components.training.shares import rows_of_share
from pipelines.artifacts import HOLDOUT, Project, read_labels
from pipelines.reporting.variations import FOLDER, METRICS, SIDES, Table, chart_file, columns, read_table
from pipelines.running import alone
from pipelines.tasks import Work, read_work
from pipelines.timings import Effort
from pipelines.trainings import KIND, Asked, key_of, train_and_ask
from pipelines.variations import Variation, read_variations

log = logging.getLogger("tailwatch")


def run(project: Project, model_id: str, over: Sequence[str]) -> Path:
    """Train and judge every combination; the table's path, its chart lies beside it.

    A combination of which nothing comes has a row that says why. The table of another sweep over the same
    settings stays as it is: the new one has a number in its name.

    Args:
        over: `name=value,value`, as `read_variations` has them.

    Raises:
        UsageError: the model is not enabled, or a setting does not fit it; before anything is trained.
        BadDataError: tensors and labels do not fit, or a class has no clips on a side.
    """
    variations = read_variations(project.params, model_id, over)
    names = tuple(variations[0].settings)
    rows: list[dict[str, Any]] = []
    with alone(project.root, f"train@{model_id}"):
        keys = {_named(one.settings): _prepared(project, model_id, one) for one in variations}
        path = _table_of(project.root / FOLDER, f"{model_id}-{'-'.join(names)}", keys)
        for k, variation in enumerate(variations, start=1):
            judged = _judged(project, model_id, variation, f"{k} of {len(variations)}")
            rows.append({"model": model_id, **judged})
            write_csv(path, columns(names), rows)  # each time: the next one may end the command
    write_text(path.with_suffix(".svg"), chart_file(read_table(path)))
    return path


def _prepared(project: Project, model_id: str, variation: Variation) -> str:
    """The key of a combination's row, once it is known that what must be trained can be built.

    Raises:
        UsageError: settings and view give no network.
        StorageError: weights of others that cannot be had.
    """
    works = list(_works(Project(project.root, variation.params), model_id, variation.share))
    keys = [key_of(work) for work in works]
    task = works[0].task
    definition = task.definition
    if isinstance(definition, KerasDefinition) and not all(project.store.has(KIND, key) for key in keys):
        log.info("%s, can it be built: %s", model_id, _named(variation.settings))
        network = build_network(model_id, definition, task.settings, task.shapes, len(task.classes))
        if definition.initialise:
            definition.initialise(network, task.located)
    return digest(keys)


def _table_of(folder: Path, stem: str, keys: Mapping[str, str]) -> Path:
    """The table of these combinations: a new one, or the one that has none but these."""
    names = (f"{stem}{suffix}.csv" for suffix in chain([""], (f"-{number}" for number in count(2))))
    paths = (folder / name for name in names)
    return next(path for path in paths if not path.is_file() or _is_of(read_table(path), keys))


def _is_of(table: Table, keys: Mapping[str, str]) -> bool:
    """Whether all rows are of these combinations, learned from the same; failed ones have no key."""
    known = {_named(row["settings"]): row["key"] for row in table}
    return all(name in keys and key in ("", keys[name]) for name, key in known.items())


def _named(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def _judged(project: Project, model_id: str, variation: Variation, place: str) -> dict[str, Any]:
    """One row of the table, without the model."""
    shown = _named(variation.settings)
    log.info("%s, %s: %s", model_id, place, shown)
    varied = Project(project.root, variation.params)
    row = {**variation.settings, "protocol": project.params.protocol.kind}
    try:
        works = _works(varied, model_id, variation.share)
        return row | describe(varied, [(work, train_and_ask(varied, work, Effort())) for work in works])
    except FinalError as error:
        log.warning("%s, %s: %s", model_id, shown, error)
        return row | {"failed": error.came}


def _works(project: Project, model_id: str, share: float) -> Iterator[Work]:
    for split in tuple(project.params.protocol.fold_splits) or (HOLDOUT,):
        yield work_of_share(read_work(project, model_id, split), share)


def work_of_share(work: Work, share: float) -> Work:
    """The same training with a share of the train side's source groups; it knows its test clips."""
    task = work.task
    kept = rows_of_share(task.groups[task.train_rows], task.labels[task.train_rows], share, work.seed)
    task = replace(task, train_rows=task.train_rows[kept], test_rows=work.rows["test"])
    return replace(
        work,
        task=task,
        rows={**work.rows, "train": task.train_rows},
        digests={**work.digests, "data": task.data_digest(work.clip_ids)},
    )


def describe(project: Project, trained: Sequence[tuple[Work, Asked]]) -> dict[str, Any]:
    """What is said of one combination: what it learned from, how training ended, how it was judged."""
    learned = [_learned_from(work) for work, _ in trained]
    epochs = [asked.epochs for _, asked in trained if asked.epochs is not None]
    cut = [asked.cut_short for _, asked in trained if asked.cut_short is not None]
    whole = len(epochs) == len(trained)
    row: dict[str, Any] = {
        "train_clips": round(float(np.mean([len(rows) for rows, _ in learned])), 1),
        "train_groups": round(float(np.mean([groups for _, groups in learned])), 1),
        "trainings": len(trained),
        "epochs": round(float(np.mean(epochs)), 1) if whole else None,
        "cut_short": sum(cut) if whole else None,
        "key": digest([asked.key for _, asked in trained]),
    }
    labels = read_labels(project)
    for side in SIDES:
        row |= _of_side(project, labels, [asked for _, asked in trained], side)
    return row


def _learned_from(work: Work) -> tuple[np.ndarray, int]:
    """Places of the clips that were learned from, and how many source groups they are of."""
    rows = work.task.learned_rows
    return rows, len(np.unique(work.task.groups[rows]))


def _of_side(
    project: Project, labels: Mapping[str, Label], trained: Sequence[Asked], side: str
) -> dict[str, Any]:
    classes = project.params.dataset.classes
    parts = [(asked.said.seed, clips_of_fold(asked.said, labels, classes, side)) for asked in trained]
    summary = summarise_folds(parts, project.params.evaluate.bootstrap)
    row: dict[str, Any] = {f"{side}_n": summary["n"], f"{side}_groups": summary["n_groups"]}
    for metric in METRICS:
        found = summary["metrics"][metric]
        row[f"{side}_{metric}"] = found["value"]
        row |= {f"{side}_{metric}_{name}": found[name] for name in ("low", "high", "spread")}
    return row
