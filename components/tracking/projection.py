"""MLflow as a projection of what the stages wrote: whatever is missing is filed, nothing twice."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from components.tracking.owner import SILENT_AFTER_S, is_alive
from components.tracking.records import RUN_KEY, RunRecord, run_key
from components.tracking.runs import FiledRun, RunBook

CHILDREN = "tailwatch.children"


@dataclass(frozen=True)
class Projected:
    """What a projection found and did.

    Attributes:
        parent: the run of this state of dvc.lock.
        children: one run per record.
        closed: ids of runs that nobody was writing any more.
    """

    parent: FiledRun
    children: tuple[FiledRun, ...]
    closed: tuple[str, ...]

    @property
    def created(self) -> int:
        """Runs that were not there before."""
        return sum(run.created for run in (self.parent, *self.children))

    @property
    def changed(self) -> int:
        """Runs to which anything was added."""
        return sum(run.changed for run in (self.parent, *self.children))


def state_record(lock_digest: str, tags: Mapping[str, str], artifacts: Mapping[str, bytes]) -> RunRecord:
    """The run that stands for one state of dvc.lock.

    Args:
        lock_digest: SHA-256 of dvc.lock.
        tags: git commit and what else holds for the state as a whole.
        artifacts: dvc.lock itself, params.yaml.
    """
    key = run_key("pipeline", {"lock": lock_digest})
    return RunRecord(f"pipeline {lock_digest[:8]}", key, origin=tags, artifacts=artifacts)


def project(book: RunBook, state: RunRecord, records: Sequence[RunRecord]) -> Projected:
    """File records under the run of their state of dvc.lock.

    Raises:
        StorageError: the store did not answer; projecting again goes on where it stopped.
    """
    closed = close_stale(book)
    parent_id, is_new = book.ensure(state)
    children = tuple(book.file(record, parent_id) for record in records)
    ids = {child.name: child.run_id for child in children}
    listed = {**state.tags, CHILDREN: json.dumps(ids, sort_keys=True)}
    parent = book.file(replace(state, tags=listed))
    return Projected(replace(parent, created=is_new), children, closed)


def close_stale(book: RunBook, silent_after_s: float = SILENT_AFTER_S) -> tuple[str, ...]:
    """Close, as KILLED, our runs that are open though the process that wrote them is gone; their ids."""
    with book.store.answering():
        running = book.search(f"attributes.status = 'RUNNING' and tags.`{RUN_KEY}` LIKE '%'")
    stale = [run.info.run_id for run in running if not is_alive(run.data.tags, silent_after_s)]
    for run_id in stale:
        book.end(run_id, "KILLED")
    return tuple(stale)
