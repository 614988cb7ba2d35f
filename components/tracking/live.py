"""Training seen from outside while it runs; what cannot be written now, `tailwatch track` brings later."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from components.core import system
from components.core.errors import TailwatchError
from components.tracking.records import Point, RunRecord
from components.tracking.runs import RunBook

log = logging.getLogger("tailwatch")

BEAT_EVERY_S = 30.0


class LiveRun:
    """An observer that files training epoch by epoch, as far as the store answers; nobody waits for it twice.

    Args:
        open_book: opens the book of runs; called in on_start, because a server may be away.
        record: the run's name, key, parameters, tags and inputs, as they are known before the first epoch.
    """

    def __init__(self, open_book: Callable[[], RunBook], record: RunRecord) -> None:
        self._open_book = open_book
        self.record = record
        self._book: RunBook | None = None
        self._beaten_s = 0.0
        self.run_id: str | None = None

    def on_start(self, facts: Mapping[str, Any]) -> None:
        """Open the run; facts that are numbers or text are its tags."""

        def start() -> None:
            book = self._open_book()
            self.run_id = book.begin(replace(self.record, tags={**self.record.tags, **_as_tags(facts)}))
            self._book = book

        self._try(start)

    def on_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Add an epoch's values."""

        def write(book: RunBook, run_id: str) -> None:
            measured = {name: value for name, value in metrics.items() if name != "epoch"}
            points = [Point(name, float(value), epoch) for name, value in sorted(measured.items())]
            book.add_metrics(run_id, points)
            if system.monotonic_s() - self._beaten_s > BEAT_EVERY_S:
                self._beaten_s = system.monotonic_s()
                book.beat(run_id)

        self._try_on_run(write)

    def on_end(self, outcome: Mapping[str, Any]) -> None:
        """Add how it ended and close the run."""

        def end(book: RunBook, run_id: str) -> None:
            numbers = {name: value for name, value in outcome.items() if isinstance(value, int | float)}
            book.add_metrics(run_id, [Point(name, float(value)) for name, value in sorted(numbers.items())])
            book.tag(run_id, _as_tags(outcome))
            book.end(run_id, "FINISHED")

        self._try_on_run(end)

    def abort(self, status: str) -> None:
        """Close a run whose training came to no end: FAILED or KILLED."""
        self._try_on_run(lambda book, run_id: book.end(run_id, status))

    def _try_on_run(self, action: Callable[[RunBook, str], None]) -> None:
        book, run_id = self._book, self.run_id
        if book is not None and run_id is not None:
            self._try(lambda: action(book, run_id))

    def _try(self, action: Callable[[], None]) -> None:
        """One failure ends the logging: a server that is away costs its time limit once, not per epoch."""
        try:
            action()
        except TailwatchError as error:
            self._book = None
            log.warning(
                "%s goes on without MLflow (`tailwatch track` files it later): %s", self.record.name, error
            )


def _as_tags(values: Mapping[str, Any]) -> dict[str, str]:
    return {f"tailwatch.training.{name}": str(value) for name, value in values.items()}
