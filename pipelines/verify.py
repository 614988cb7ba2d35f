"""verify: every byte of store, outs and DVC's cache against its digest; what is damaged is made again."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from components.core import system
from components.core.errors import TailwatchError
from components.core.parallel import map_items
from components.datasets.clips import Clip
from components.datasets.inspection import inspect_all, inspection_object
from components.features.chain import ClipChain
from components.store.objects import read_object
from pipelines.artifacts import Project, read_clips
from pipelines.dvc_command import run_dvc
from pipelines.over_clips import each_clip
from pipelines.recorded import RecordedOut, damage, damaged_cache, recorded_outs

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
    """
    store, cache, outs = damaged_objects(project), damaged_cache(project.root), recorded_outs(project)
    damaged_outs = {out: found for out in outs if (found := damage(project.root, out))}
    if not repair:
        return [*_rows("store", store), *_rows("cache", cache), *_out_rows(damaged_outs)]
    return [
        *repair_objects(project, store),
        *repair_cache(project, cache),
        *repair_outs(project, damaged_outs),
    ]


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


def repair_outs(project: Project, damaged: dict[RecordedOut, dict[str, str]]) -> list[Damage]:
    """Restore damaged outs from DVC's cache, or else by running their stages alone."""
    for out, files in damaged.items():
        for path in {out.path} if out.path in files else files:
            system.remove(project.root / path)
    paths = {out.path for out in damaged}
    left = _damaged_after(project, paths, "checkout", "--force", *sorted(paths))
    stages = [out.stage for out in damaged if out.path in left]
    lost = _damaged_after(project, left, "repro", "--single-item", *dict.fromkeys(stages))
    return [
        replace(row, repaired="" if out.path in lost else "run again" if out.path in left else "restored")
        for out, files in damaged.items()
        for row in _rows("out", files)
    ]


def _damaged_after(project: Project, paths: set[str], *command: str) -> set[str]:
    """Which of these outs are damaged after a DVC command, which is not run for none."""
    if not paths:
        return set()
    done = run_dvc(project.root, *command)
    if done.returncode:
        log.warning("dvc %s: %s", command[0], (done.stderr or done.stdout).strip())
    outs = [out for out in recorded_outs(project) if out.path in paths]
    return {out.path for out in outs if damage(project.root, out)}


def _out_rows(damaged: dict[RecordedOut, dict[str, str]]) -> list[Damage]:
    return [row for files in damaged.values() for row in _rows("out", files)]


def _rows(area: str, damaged: dict[str, str], repaired: str = "") -> list[Damage]:
    return [Damage(area, path, found, repaired) for path, found in damaged.items()]
