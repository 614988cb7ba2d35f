"""verify: every byte of store, outs and DVC's cache against its digest; what is damaged is made again."""

import logging
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from components.core import system
from components.core.errors import StorageError, TailwatchError
from components.core.parallel import map_items
from components.datasets.clips import Clip
from components.datasets.inspection import inspect_all, inspection_object
from components.features.chain import ClipChain
from components.store.objects import read_object
from pipelines.artifacts import Project, read_clips
from pipelines.dvc_command import run_dvc
from pipelines.dvc_state import DvcState
from pipelines.over_clips import each_clip
from pipelines.recorded import RecordedOut, damage, damaged_cache, recorded_outs
from pipelines.running import all_alone
from pipelines.stage_graph import stage_names

log = logging.getLogger("tailwatch")


@dataclass(frozen=True)
class Damage:
    """A file that is not what it was.

    Attributes:
        area: store, cache or out.
        path: from the project's root where it lies below.
        found: what is wrong.
        repaired: what was done about it; empty: nothing.
    """

    area: str
    path: str
    found: str
    repaired: str = ""


def run(project: Project, *, repair: bool) -> list[Damage]:
    """All damage that there is; with `repair`, what was done about it.

    Objects in a bucket are not fetched for this: each is checked whenever it is fetched.

    Raises:
        BadDataError: a table that a repair needs cannot be read.
        StorageError: a repair is wanted, and DVC or a stage is at work.
    """
    if repair:
        return _repair(project)
    store, cache = damaged_objects(project), damaged_cache(project.root)
    return [*_rows("store", store), *_rows("cache", cache), *_out_rows(damaged_outs(project))]


def _repair(project: Project) -> list[Damage]:
    """Repair while nothing else runs: the locks of DVC and stages are held until these do work."""
    with _Aside(project) as aside:
        with ExitStack() as held:
            with _nothing_runs(project, held):
                rows = repair_objects(project, damaged_objects(project))
                rows += repair_cache(project, damaged_cache(project.root))
                damaged = damaged_outs(project)
                paths = aside.take(damaged)
            left = _damaged_after(project, paths, "checkout", "--force", *sorted(paths))
        stages = [out.stage for out in damaged if out.path in left]
        lost = _damaged_after(project, left, "repro", "--single-item", *dict.fromkeys(stages))
    return [*rows, *_repaired_rows(damaged, left, lost)]


@contextmanager
def _nothing_runs(project: Project, stages: ExitStack) -> Iterator[None]:
    """Hold DVC's lock inside the block, and the locks of all stages for as long as `stages`."""
    names: list[str] = []
    with ExitStack() as held:
        if (project.root / ".dvc").is_dir():
            held.enter_context(DvcState(project.root).alone())
            names = stage_names(project.root, project.params)
        stages.enter_context(all_alone(project.root, names))
        yield


class _Aside:
    """Keeps damaged outs out of the way; those that DVC could not give or make again come back in the end."""

    def __init__(self, project: Project) -> None:
        self._project = project
        name = f".damaged.{secrets.token_hex(4)}.{os.getpid()}.tmp"  # prune knows what a dead process leaves
        self._folder = project.out(name)

    def __enter__(self) -> "_Aside":
        return self

    def take(self, damaged: Iterable[RecordedOut]) -> set[str]:
        """Move whole outs away: a stage that fails leaves nothing of them."""
        paths = {out.path for out in damaged}
        for path in paths:
            if os.path.lexists(self._project.root / path):
                _move(self._project.root / path, self._folder / path)
        return paths

    def __exit__(self, *_: object) -> None:
        if not self._folder.is_dir():
            return
        try:
            with ExitStack() as held, _nothing_runs(self._project, held):
                for out in damaged_outs(self._project):
                    if os.path.lexists(self._folder / out.path):
                        system.remove(self._project.root / out.path)
                        _move(self._folder / out.path, self._project.root / out.path)
                system.remove(self._folder)
        except StorageError as error:
            log.warning("What was damaged stays in %s: %s", self._folder, error.came)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    system.rename(source, target)


def damaged_outs(project: Project) -> dict[RecordedOut, dict[str, str]]:
    """What is wrong with each out that is not what DVC recorded, by file."""
    return {out: found for out in recorded_outs(project) if (found := damage(project.root, out))}


def damaged_objects(project: Project) -> dict[str, str]:
    """What is wrong with objects of the store on this machine, by name."""
    near = project.store.backend.near
    names = sorted(file.name for file in near.files())
    reasons = map_items(partial(_reason, near.root), names, label="verified")
    return {name: reason for name, reason in zip(names, reasons, strict=True) if reason}


def _reason(root: Path, name: str) -> str:
    try:
        read_object(root / name)
    except FileNotFoundError:  # evicted meanwhile
        return ""
    except TailwatchError as error:
        return error.came
    return ""


def repair_objects(project: Project, damaged: dict[str, str]) -> list[Damage]:
    """Remove damaged objects, and make again those of present clips."""
    if not damaged:
        return []
    near = project.store.backend.near
    for name in damaged:
        near.remove(name)
    if project.out("ingest", "clips.csv").is_file():
        _make_again(project, damaged.keys())
    return [
        Damage("store", name, found, "made again" if (near.root / name).is_file() else "removed")
        for name, found in damaged.items()
    ]


def _make_again(project: Project, lost: Iterable[str]) -> None:
    clips, wanted = read_clips(project), set(lost)
    each_clip(
        project,
        [clip for clip in clips if wanted & project.chain.objects(clip).keys()],
        _make,
        verb="made again",
    )
    looks = {clip.sha256: clip for clip in clips if inspection_object(clip.sha256) in wanted}
    inspect_all(project.store, {sha256: project.locate(clip) for sha256, clip in looks.items()})


def _make(chain: ClipChain, clip: Clip) -> tuple[list[dict[str, Any]], bool]:
    taken = [take() for take in chain.objects(clip).values()]
    return [], any(stored.made for stored in taken)


def repair_cache(project: Project, damaged: dict[str, str]) -> list[Damage]:
    """Remove damaged objects of DVC's cache: a copy that is wrong is worse than none."""
    for path in damaged:
        system.remove(project.root / path)
    return _rows("cache", damaged, "removed")


def _repaired_rows(
    damaged: dict[RecordedOut, dict[str, str]], left: set[str], lost: set[str]
) -> Iterator[Damage]:
    """What became of outs: those that DVC had no copy of were left to their stages."""
    for out, files in damaged.items():
        repaired = "" if out.path in lost else "run again" if out.path in left else "restored"
        yield from _rows("out", files, repaired)


def _damaged_after(project: Project, paths: set[str], *command: str) -> set[str]:
    """Which of these outs are damaged after a DVC command, which is not run for none."""
    if not paths:
        return set()
    done = run_dvc(project.root, *command)
    if done.returncode:
        log.warning("dvc %s: %s", command[0], (done.stderr or done.stdout).strip())
    return paths & {out.path for out in damaged_outs(project)}


def _out_rows(damaged: dict[RecordedOut, dict[str, str]]) -> list[Damage]:
    return [row for files in damaged.values() for row in _rows("out", files)]


def _rows(area: str, damaged: dict[str, str], repaired: str = "") -> list[Damage]:
    return [Damage(area, path, found, repaired) for path, found in damaged.items()]
