"""The tiny project, run once without a fault."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.forker import Forker
from tests.faults.tiny import AFTER, BEFORE_TRAIN, copy_of, make_project, results
from tests.flow import Checkout

STAGES = (*BEFORE_TRAIN, *AFTER)


@dataclass(frozen=True)
class Reference:
    """What an undisturbed run gives.

    Attributes:
        before: the project as it stood before each stage.
        results: SHA-256 of every result after the last stage.
        operations: how many operations each stage made.
    """

    before: dict[tuple[str, ...], Checkout]
    results: dict[str, str]
    operations: dict[tuple[str, ...], int]


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    made = Forker()
    yield made
    made.close()


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory, project_root: Path, forker: Forker) -> Reference:
    folder = tmp_path_factory.mktemp("reference")
    project = make_project(project_root, folder, network=False)
    before, operations = {}, {}
    for stage in STAGES:
        before[stage] = copy_of(project, folder / "-".join(("before", *stage)))
        log = folder / "operations.log"
        log.unlink(missing_ok=True)
        code, printed = forker.run(
            project.folder, *stage, TAILWATCH_FAULT="count@1", TAILWATCH_FAULT_LOG=str(log)
        )
        assert code == 0, printed
        operations[stage] = log.read_bytes().count(b"\n")
    return Reference(before, results(project.folder), operations)
