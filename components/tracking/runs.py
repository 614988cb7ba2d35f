"""One run: found by its key or created, and filled with whatever of its record is not there yet."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from components.core.scratch import scratch_folder
from components.tracking.owner import HEARTBEAT, OWNER, now_ms, owner_id
from components.tracking.records import (
    MAX_TAG_LENGTH,
    RUN_KEY,
    DataInput,
    Point,
    RunRecord,
    content_digest,
    flatten,
)
from components.tracking.store import TrackingStore

if TYPE_CHECKING:
    from mlflow.entities import Run

COMPLETE = "tailwatch.complete"
PARENT = "mlflow.parentRunId"
PARAMS_PER_CALL = 100
METRICS_PER_CALL = 1000
SEARCHED_PER_CALL = 1000

Item = TypeVar("Item")


@dataclass(frozen=True)
class FiledRun:
    """A run as it now stands.

    Attributes:
        created: whether it was not there before.
        changed: whether anything was added to it now.
    """

    run_id: str
    name: str
    created: bool
    changed: bool


class RunBook:
    """The runs of one experiment.

    Args:
        store: the tracking store.
        experiment: the experiment's name; created when it is not there.
    """

    def __init__(self, store: TrackingStore, experiment: str) -> None:
        self.store = store
        self.client = store.client
        self.experiment_id = store.experiment_id(experiment)

    def file(self, record: RunRecord, parent: str | None = None) -> FiledRun:
        """Bring a run to the state that its record describes; a second time does nothing.

        Raises:
            StorageError: the store did not answer; filing again goes on where it stopped.
        """
        with self.store.answering():
            run, created = self._find_or_create(record, parent)
            if parent and PARENT not in run.data.tags:
                self.client.set_tag(run.info.run_id, PARENT, parent)
            wanted = content_digest(record)
            if run.data.tags.get(COMPLETE) == wanted:
                return FiledRun(run.info.run_id, record.name, created, changed=False)
            self._fill(run, record)
            self._set_tags(run.info.run_id, {COMPLETE: wanted})
            self.client.set_terminated(run.info.run_id, "FINISHED")
            return FiledRun(run.info.run_id, record.name, created, changed=True)

    def ensure(self, record: RunRecord) -> tuple[str, bool]:
        """The id of the run of this key, and whether it was created now; nothing is filed in it."""
        with self.store.answering():
            run, created = self._find_or_create(record, None)
            return run.info.run_id, created

    def begin(self, record: RunRecord) -> str:
        """Open a run of this process, a new one or the one that an interrupted process left; its id."""
        with self.store.answering():
            run, _ = self._find_or_create(record, None)
            run_id: str = run.info.run_id
            self.client.update_run(run_id, status="RUNNING")
            self._set_tags(run_id, {**record.tags, **_owner_tags()})
            self._add_params(run, record.params)
            self._add_inputs(run_id, record.inputs)
            return run_id

    def add_metrics(self, run_id: str, points: Sequence[Point]) -> None:
        """Add the values whose name and step the run does not have yet."""
        from mlflow.entities import Metric

        with self.store.answering():
            known = self._known_steps(run_id, {point.name for point in points})
            new = [point for point in points if (point.name, point.step) not in known]
            now = now_ms()
            for part in _parts(new, METRICS_PER_CALL):
                metrics = [Metric(point.name, point.value, now, point.step) for point in part]
                self.client.log_batch(run_id, metrics=metrics)

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Write tags on a run."""
        with self.store.answering():
            self._set_tags(run_id, tags)

    def beat(self, run_id: str) -> None:
        """Say that this process is still at work on the run."""
        with self.store.answering():
            self.client.set_tag(run_id, HEARTBEAT, str(now_ms()))

    def end(self, run_id: str, status: str) -> None:
        """Close a run: FINISHED, FAILED or KILLED."""
        with self.store.answering():
            self.client.set_terminated(run_id, status)

    def find(self, key: str) -> "Run | None":
        """The run of this key; of several, as two processes at once may leave them, the first."""
        with self.store.answering():
            found = self.search(f"tags.`{RUN_KEY}` = '{key}'")
        return found[0] if found else None

    def search(self, filter_string: str) -> "list[Run]":
        """All runs of the experiment that fit, oldest first."""
        runs: list[Run] = []
        token: str | None = None
        while True:
            page = self.client.search_runs(
                [self.experiment_id],
                filter_string,
                max_results=SEARCHED_PER_CALL,
                order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
                page_token=token,
            )
            runs += page
            token = page.token
            if not token:
                return runs

    def _find_or_create(self, record: RunRecord, parent: str | None) -> "tuple[Run, bool]":
        found = self.find(record.key)
        if found is not None:
            return found, False
        tags = {RUN_KEY: record.key, **record.origin, **_owner_tags()} | ({PARENT: parent} if parent else {})
        made = self.client.create_run(self.experiment_id, tags=tags, run_name=record.name)
        first = self.find(record.key)
        if first is not None and first.info.run_id != made.info.run_id:
            self.client.delete_run(made.info.run_id)
            return first, False
        return made, True

    def _fill(self, run: "Run", record: RunRecord) -> None:
        run_id = run.info.run_id
        self._add_params(run, record.params)
        self.add_metrics(run_id, record.metrics)
        self._add_inputs(run_id, record.inputs)
        self._set_tags(run_id, record.tags)
        self._add_artifacts(run_id, {**record.artifacts, **record.pictures()})

    def _add_params(self, run: "Run", params: Mapping[str, Any]) -> None:
        """Parameters of a run never change, so those it has stay as they are."""
        from mlflow.entities import Param

        new = [Param(name, value) for name, value in flatten(params).items() if name not in run.data.params]
        for part in _parts(new, PARAMS_PER_CALL):
            self.client.log_batch(run.info.run_id, params=part)

    def _set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        given = [RunTag(name, value[:MAX_TAG_LENGTH]) for name, value in sorted(tags.items())]
        for part in _parts(given, PARAMS_PER_CALL):
            self.client.log_batch(run_id, tags=part)

    def _known_steps(self, run_id: str, names: Iterable[str]) -> set[tuple[str, int]]:
        present = set(self.client.get_run(run_id).data.metrics)
        wanted = sorted(present.intersection(names))
        return {
            (name, point.step) for name in wanted for point in self.client.get_metric_history(run_id, name)
        }

    def _add_inputs(self, run_id: str, inputs: Sequence[DataInput]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        if inputs:
            datasets = [
                DatasetInput(
                    Dataset(data.name, data.digest[:36], "local", json.dumps({"uri": data.source})),
                    [InputTag("mlflow.data.context", data.context)],
                )
                for data in inputs
            ]
            self.client.log_inputs(run_id, datasets=datasets)

    def _add_artifacts(self, run_id: str, artifacts: Mapping[str, bytes]) -> None:
        if not artifacts:
            return
        with scratch_folder() as scratch:
            folder = scratch / "artefacts"  # apart from what marks the scratch folder as ours
            for path, content in artifacts.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            self.client.log_artifacts(run_id, str(folder))


def _owner_tags() -> dict[str, str]:
    return {OWNER: owner_id(), HEARTBEAT: str(now_ms())}


def _parts(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
