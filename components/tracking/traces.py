"""What runs say of certain clips, in artefacts, tags and parameters: found and removed."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from components.core.errors import StorageError
from components.core.scratch import scratch_folder
from components.tracking.projection import CHILDREN
from components.tracking.records import RUN_KEY
from components.tracking.store import TrackingStore

if TYPE_CHECKING:
    from mlflow.entities import Run

Names = Callable[[bytes], bool]  # whether a content names one of the clips
Page = Callable[[bytes], bytes]
TEXTS = (".csv", ".html", ".json", ".lock", ".md", ".svg", ".txt", ".yaml", ".yml")
PREDICTIONS = "predictions.csv"
_EXPERIMENTS_PER_CALL = 100
_RUNS_PER_CALL = 1000


@dataclass(frozen=True)
class Trace:
    """One place of one run.

    Attributes:
        run: its name, as DVC has the stage.
        what: the artefact's path, or the name of the tag or parameter.
        action: what is done about it; MLflow lets nobody take a parameter away.
    """

    run_id: str
    run: str
    what: str
    action: Literal["remove artefact", "drop rows", "remove tag", "cannot be removed"]


class RunTraces:
    """All runs of a tracking store that this project's commands wrote, also deleted ones.

    Args:
        store: the tracking store.
        names: recognises a content that names one of the clips.
        page: gives a page in Markdown without its rows of the clips' sources.
    """

    def __init__(self, store: TrackingStore, names: Names, page: Page | None = None) -> None:
        self.store = store
        self.client = store.client
        self._names = names
        self._page: Page = page or (lambda content: content)

    def runs(self) -> "list[Run]":
        """Every run that carries our key, whatever became of it or of its experiment."""
        with self.store.answering():
            experiments = [found.experiment_id for found in self._experiments()]
            parts = range(0, len(experiments), _EXPERIMENTS_PER_CALL)
            return [
                run
                for start in parts
                for run in self._runs_of(experiments[start : start + _EXPERIMENTS_PER_CALL])
            ]

    def find(self, run: "Run") -> Iterator[Trace]:
        """What one run says of the clips."""
        name, run_id = str(run.info.run_name), str(run.info.run_id)
        with self.store.answering():
            for tag, value in sorted(run.data.tags.items()):
                if self._names(f"{tag} {value}".encode()):
                    yield Trace(run_id, name, tag, "remove tag")
            for param, value in sorted(run.data.params.items()):
                if self._names(f"{param} {value}".encode()):
                    yield Trace(run_id, name, param, "cannot be removed")
            for path in self._artifacts(run_id, None):
                content = self.read(run_id, path) if path.endswith(TEXTS) else b""
                if self._names(path.encode()) or (not path.endswith(".csv") and self._names(content)):
                    yield Trace(run_id, name, path, "remove artefact")
                elif self._names(content) or (path.endswith(".md") and self._page(content) != content):
                    yield Trace(run_id, name, path, "drop rows")

    def read(self, run_id: str, path: str) -> bytes:
        """The content of a run's artefact."""
        with scratch_folder() as folder:
            return Path(self.client.download_artifacts(run_id, path, str(folder))).read_bytes()

    def predictions(self, run: "Run") -> list[dict[str, str]] | None:
        """The rows of a run's table of predictions; None where it has none, or none any more."""
        run_id = str(run.info.run_id)
        with self.store.answering():
            if PREDICTIONS not in {found.path for found in self.client.list_artifacts(run_id)}:
                return None
            table = io.StringIO(self.read(run_id, PREDICTIONS).decode(), newline="")
            return list(csv.DictReader(table))

    def remove(self, trace: Trace) -> None:
        """Take one trace away; a table keeps its other rows.

        Raises:
            StorageError: the store did not answer, or lets nobody remove artefacts.
        """
        with self.store.answering():
            if trace.action == "remove tag":
                self.client.delete_tag(trace.run_id, trace.what)
            elif trace.action == "drop rows":
                self._drop_rows(trace)
            elif trace.action == "remove artefact":
                self._repository(trace.run_id).delete_artifacts(trace.what)

    def _drop_rows(self, trace: Trace) -> None:
        path = PurePosixPath(trace.what)
        content = self.read(trace.run_id, trace.what)
        kept = self._page(content) if path.suffix == ".md" else without_rows(content, self._names)
        with scratch_folder() as folder:
            local = folder / path.name
            local.write_bytes(kept)
            parent = str(path.parent) if path.parent.name else None
            self.client.log_artifact(trace.run_id, str(local), parent)

    def _repository(self, run_id: str) -> Any:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        uri = self.client.get_run(run_id).info.artifact_uri
        return get_artifact_repository(uri, tracking_uri=self.store.uri)

    def _artifacts(self, run_id: str, folder: str | None) -> Iterator[str]:
        for found in self.client.list_artifacts(run_id, folder):
            if found.is_dir:
                yield from self._artifacts(run_id, found.path)
            else:
                yield str(found.path)

    def _experiments(self) -> Iterator[Any]:
        from mlflow.entities import ViewType

        token: str | None = None
        while True:
            page = self.client.search_experiments(ViewType.ALL, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _runs_of(self, experiments: Sequence[str]) -> Iterator["Run"]:
        from mlflow.entities import ViewType

        token: str | None = None
        ours = f"tags.`{RUN_KEY}` LIKE '%'"
        while True:
            page = self.client.search_runs(
                list(experiments), ours, ViewType.ALL, max_results=_RUNS_PER_CALL, page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return


def without_rows(table: bytes, names: Names) -> bytes:
    """A table in CSV without the rows that name one of the clips."""
    source = io.StringIO(table.decode(), newline="")
    kept = io.StringIO(newline="")
    writer = csv.writer(kept, lineterminator="\n")
    writer.writerows(row for row in csv.reader(source) if not any(names(cell.encode()) for cell in row))
    return kept.getvalue().encode()


def trained_by(runs: "Sequence[Run]") -> dict[str, set[str]]:
    """Ids of the training runs that each evaluation run judged, as the runs of whole states list them."""
    import json

    found: dict[str, set[str]] = {}
    for run in runs:
        children = json.loads(run.data.tags.get(CHILDREN, "{}"))
        for name, run_id in children.items():
            stage, _, model = name.partition("@")
            if stage == "evaluate" and f"train@{model}" in children:
                found.setdefault(run_id, set()).add(children[f"train@{model}"])
    return found


def scrub(database: Path) -> None:
    """Overwrite what was deleted from a SQLite database and still lies in its file.

    Raises:
        StorageError: another process holds it.
    """
    import sqlite3

    try:
        connection = sqlite3.connect(database, isolation_level=None)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("VACUUM")
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise StorageError(
            f"{database} could not be scrubbed: {error}",
            wanted="the database for this process alone",
            remedy="stop `mlflow ui` and other users of it, then run this again",
        ) from error
