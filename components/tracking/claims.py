"""Numbers that exactly one of several processes gets, on any MLflow server.

MLflow sets aliases without comparing, so compare-and-set is built on the one thing that its servers keep
unique: the name of an experiment, also of a deleted one. Whoever creates `tailwatch-promotion-000007` is
the one who may make the seventh move; the experiment is deleted at once and its name stays taken.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from components.core import system
from components.core.errors import TailwatchError
from components.tracking.owner import owner_id
from components.tracking.store import TrackingStore

LOOK_AGAIN_S = 0.2
USABLE_SHARE = 0.8


class PromotionConflictError(TailwatchError):
    """The champion changed while its place was asked for: the gate's question must be put anew."""

    exit_code = 4


@dataclass(frozen=True)
class Claim:
    """A number taken by this process.

    Attributes:
        number: nobody else has it.
        taken_s: monotonic clock.
    """

    number: int
    taken_s: float


class Claims:
    """A sequence of numbers.

    Args:
        store: the tracking store.
        prefix: of the experiments' names.
        patience_s: after so long a process that took a number and changed nothing counts as gone.
    """

    def __init__(self, store: TrackingStore, prefix: str, patience_s: float) -> None:
        self.store = store
        self.prefix = prefix
        self.patience_s = patience_s

    def take(self, after: int, unchanged: Callable[[], bool]) -> Claim:
        """Take the next number.

        Args:
            after: the number of the last move.
            unchanged: whether that move is still the last.

        Raises:
            PromotionConflictError: another process made its move first.
        """
        number = after + 1
        while not self._create(number):
            self._wait_for_holder(unchanged)
            number = self.highest() + 1
        claim = Claim(number, system.monotonic_s())
        if not unchanged():
            raise conflict()
        return claim

    def check(self, claim: Claim, unchanged: Callable[[], bool]) -> None:
        """Make sure that the claim still counts: others pass over a holder that is slow.

        Raises:
            PromotionConflictError: it took too long, a later number is taken, or the champion changed.
        """
        late = system.monotonic_s() - claim.taken_s > USABLE_SHARE * self.patience_s
        if late or self.highest() > claim.number or not unchanged():
            raise conflict()

    def highest(self) -> int:
        """The highest number taken so far; 0 for none."""
        from mlflow.entities import ViewType

        with self.store.answering():
            found = self.store.client.search_experiments(
                ViewType.ALL, 1, f"name LIKE '{self.prefix}-%'", ["name DESC"]
            )
        return int(found[0].name.rpartition("-")[2]) if found else 0

    def _create(self, number: int) -> bool:
        from mlflow import MlflowException

        client = self.store.client
        with self.store.answering():
            try:
                made = client.create_experiment(
                    f"{self.prefix}-{number:06d}", self.store.artifacts, {"tailwatch.owner": owner_id()}
                )
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                return False
            client.delete_experiment(made)
        return True

    def _wait_for_holder(self, unchanged: Callable[[], bool]) -> None:
        deadline_s = system.monotonic_s() + self.patience_s
        while system.monotonic_s() < deadline_s:
            if not unchanged():
                raise conflict()
            time.sleep(LOOK_AGAIN_S)


def conflict() -> PromotionConflictError:
    """The error of the one who came second."""
    return PromotionConflictError(
        "Another promotion or rollback moved the champion at the same time",
        wanted="the champion that the gate compared with",
        remedy="run `tailwatch promote` again: it compares with the new champion",
    )
