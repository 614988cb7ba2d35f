"""track: bring MLflow up to what lies in outs/; what is there already stays as it is."""

import logging
from dataclasses import replace
from typing import Any

from components.core.errors import without_secret
from components.tracking import projection
from components.tracking.projection import Projected, state_record
from components.tracking.records import RunRecord
from components.tracking.runs import RunBook
from components.tracking.store import open_store
from pipelines.artifacts import Project
from pipelines.cards.cards import cards
from pipelines.compare import read_evaluated
from pipelines.params import PARAMS_FILE
from pipelines.provenance import LOCK_FILE, Provenance, read_provenance
from pipelines.records import compare_record, evaluate_record, train_record
from pipelines.variation_records import variation_records

log = logging.getLogger("tailwatch")


def run(project: Project) -> Projected:
    """File every enabled model's training and evaluation, the comparison, and variations that lie there.

    Raises:
        BadDataError: the pipeline did not run to its end.
        StorageError: MLflow does not answer; running it again goes on where it stopped.
    """
    state = read_provenance(project.root)
    book = open_book(project)
    done = projection.project(book, _state(project, state), records(project, state))
    log.info(
        "%d runs in %s: %d created, %d brought up to date, %d left open by processes that are gone",
        *(
            1 + len(done.children),
            without_secret(book.store.uri),
            done.created,
            done.changed - done.created,
            len(done.closed),
        ),
    )
    return done


def in_short(done: Projected, book: RunBook) -> dict[str, Any]:
    """Where it was filed: ids of the run of this state and of its experiment, and what was done."""
    return {
        "run": done.parent.run_id,
        "experiment": book.experiment_id,
        "created": done.created,
        "changed": done.changed,
    }


def open_book(project: Project) -> RunBook:
    """The project's runs in MLflow."""
    return RunBook(open_store(project.root), project.params.track.experiment)


def records(project: Project, state: Provenance) -> list[RunRecord]:
    """What the stages say of themselves, in the order of the flow."""
    trained = [_with_cards(project, model_id, state) for model_id in project.params.models]
    evaluated = [
        evaluate_record(read_evaluated(project, model_id), project.out("evaluate", model_id), state)
        for model_id in project.params.models
    ]
    compared = compare_record(project.out("compare"), state)
    return [*trained, *evaluated, compared, *variation_records(project, state)]


def _with_cards(project: Project, model_id: str, state: Provenance) -> RunRecord:
    record = train_record(project, model_id, state)
    return replace(record, artifacts={**record.artifacts, **cards(project, model_id)})


def _state(project: Project, state: Provenance) -> RunRecord:
    """The parent run: with its two files, the state can be made again at its commit."""
    files = {name: (project.root / name).read_bytes() for name in (LOCK_FILE, PARAMS_FILE)}
    return state_record(state.lock, {**state.tags(), **state.data_tags()}, files)
