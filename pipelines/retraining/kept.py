"""What retrainings keep outside the project's outs, where clips leave traces too."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.core.errors import StorageError
from pipelines.dvc_state import DvcCache
from pipelines.retraining.entries import LATEST
from pipelines.retraining.places import (
    PROJECT_VARIABLE,
    REMOTE_VARIABLE,
    RUNS_VARIABLE,
    Places,
    read_places,
)
from pipelines.retraining.workspace import CACHE, COPIES, SHARED, holding_slots


@dataclass(frozen=True)
class Kept:
    """What lies in folders of this machine, and the addresses of what does not.

    Attributes:
        caches: DVC's remote, and the cache of the workspaces.
        runs: a folder for each run.
        newest: the newest entry of each stage.
        copies: folders of what lies in buckets: of the store, and of clips.
        leavings: folders that workspaces leave: of killed tasks, and those that were kept on purpose.
        beyond: what only its owner can clean.
    """

    caches: tuple[DvcCache, ...]
    runs: tuple[Path, ...]
    newest: tuple[Path, ...]
    copies: tuple[Path, ...]
    leavings: tuple[Path, ...]
    beyond: tuple[str, ...]


def kept_by_retrainings(root: Path) -> Kept:
    """What the retrainings of a project keep, by the same variables that its tasks go by.

    Args:
        root: the project's folder.

    Raises:
        UsageError: a variable names no place.
    """
    places = _places(root)
    at_work, runs = places.workspaces, _folder(places.runs)
    remote = _folder(places.remote)
    caches = [folder for folder in (remote, at_work / CACHE) if folder is not None]
    folders = [path for path in (runs.glob("*") if runs else ()) if path.is_dir()]
    return Kept(
        caches=tuple(DvcCache(folder / "files" / "md5", folder / "runs") for folder in caches),
        runs=tuple(path for path in folders if path.name != LATEST),
        newest=tuple((runs / LATEST).glob("*.json")) if runs else (),
        copies=tuple(path for name in COPIES if any((path := at_work / SHARED / name).glob("*"))),
        leavings=tuple(
            path for name in ("kept", "slots", "site-cache") for path in (at_work / name).glob("*")
        ),
        beyond=tuple(_beyond(places)),
    )


@contextmanager
def no_task_at_work(root: Path) -> Iterator[None]:
    """Keep tasks of this machine from beginning while the block runs.

    Raises:
        StorageError: one is at work.
    """
    workspaces = _places(root).workspaces
    with ExitStack() as held:
        if workspaces.is_dir() and (busy := held.enter_context(holding_slots(workspaces))):
            raise StorageError(
                f"A retraining's task is at work in {workspaces / busy}",
                wanted="a machine on which no task runs",
                remedy="wait until it has ended, then run this again",
            )
        yield


def kept_places(root: Path) -> tuple[Path, ...]:
    """The folders of this machine that are looked at here, so that nobody else need."""
    places = _places(root)
    named = (_folder(places.remote), _folder(places.runs), places.workspaces)
    return tuple(folder for folder in named if folder is not None)


def _places(root: Path) -> Places:
    return read_places(root, {name: value for name, value in os.environ.items() if name != PROJECT_VARIABLE})


def _folder(place: str) -> Path | None:
    return None if "://" in place else Path(place)


def _beyond(places: Places) -> Iterator[str]:
    if "://" in places.remote:
        yield f"{REMOTE_VARIABLE} ({places.remote}): remove the objects that are listed here from it"
    if "://" in places.runs:
        yield f"{RUNS_VARIABLE} ({places.runs}): remove the runs whose reports show the clips"
    if "://" in places.remote + places.runs:
        yield "workspaces of other machines that ran tasks: remove what TAILWATCH_WORKSPACES names there"
