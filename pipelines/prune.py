"""prune: what nobody asks for any more: orphaned outs, left-over temporary files, checkpoints, store objects.

Clips of the data set are never touched. Entries of removed items may stay in dvc.lock, where they do no harm.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from components.core import system
from components.core.errors import TailwatchError
from components.core.scratch import abandoned
from components.core.system import is_alive
from components.datasets.inspection import inspection_object
from components.store.local import LocalFolder, StoredFile, is_object
from components.store.objects import DamagedObjectError, read_meta
from components.training import features
from pipelines import trainings
from pipelines.artifacts import Project, read_clips
from pipelines.dvc_at_rest import at_rest
from pipelines.dvc_state import dvc_cache
from pipelines.tasks import all_splits, read_work

log = logging.getLogger("tailwatch")

_TEMPORARY = re.compile(r"\.(?P<name>.+?)(\.[0-9a-f]{8})?\.(?P<process>\d+)\.tmp")  # components.core.files
_SHARED_S = 86_400.0


@dataclass(frozen=True)
class Orphan:
    """Something that nobody asks for.

    Attributes:
        path: from the project's root where it lies below.
        size: in bytes.
        why: what it was.
    """

    path: str
    size: int
    why: str


def run(project: Project, *, dry_run: bool, store: bool) -> list[Orphan]:
    """Remove orphans, or with `dry_run` only list them.

    Args:
        store: also the objects on this machine that no present clip has under the present parameters.

    Raises:
        BadDataError: there is no clips.csv to tell the store's objects by.
    """
    with at_rest(project.root) as dvc_rests:
        orphans = [
            *orphaned_outs(project),
            *orphaned_checkpoints(project),
            *left_over_files(project, of_dvc=dvc_rests),
            *orphaned_objects(project, unreachable=store),
        ]
        orphans = [orphan for orphan in orphans if not _holds_clips(project, Path(orphan.path))]
        for orphan in () if dry_run else orphans:
            system.remove(project.root / orphan.path)
    return [_seen_from(project.root, orphan) for orphan in orphans]


def orphaned_outs(project: Project) -> Iterator[Orphan]:
    """Outs of models and views that are not in params.yaml."""
    params = project.params
    for stage, enabled in (("reshape", params.views), ("train", params.models), ("evaluate", params.models)):
        for path in _inside(project.out(stage)):
            if path.name not in enabled and not path.name.startswith("."):
                yield _orphan(path, f"{stage}'s out for {path.name}, which is not in params.yaml")


def orphaned_checkpoints(project: Project) -> Iterator[Orphan]:
    """Checkpoints of trainings that no enabled model goes on from."""
    folders = _inside(project.state("checkpoints"))
    if not folders:
        return
    try:
        asked_for = {
            read_work(project, model_id, split).key
            for model_id in project.params.models
            for split in all_splits(project)
        }
    except TailwatchError as error:
        log.warning("the checkpoints stay, because what is asked for cannot be told: %s", error.came)
        return
    for path in folders:
        if path.name not in asked_for:
            yield _orphan(path, "the checkpoint of a training that is not asked for")


def left_over_files(project: Project, *, of_dvc: bool) -> Iterator[Orphan]:
    """Temporary files of processes that are dead.

    Args:
        of_dvc: also DVC's; they name no process, so it must be known that none runs.
    """
    for folder in (project.root / "outs", project.root / "reports", project.state()):
        for path in _temporary(folder):
            yield _orphan(path, "a temporary file of a process that is dead")
    store = project.store.backend.near.root
    if not store.is_relative_to(project.state()):
        for path in _temporary(store):  # perhaps shared with machines whose processes are not seen from here
            if _is_objects(store, path) and _is_old(path):
                yield _orphan(path, "a temporary file that nobody wrote to for a day")
    for path in abandoned():
        yield _orphan(path, "a temporary folder of a process that is dead")
    if of_dvc:
        for path in _temporary_of_dvc(project.root):
            yield _orphan(path, "a temporary file of DVC, which does not run")


def orphaned_objects(project: Project, *, unreachable: bool) -> Iterator[Orphan]:
    """Objects over the store's cap; with `unreachable` also those of no present clip and parameters."""
    near = project.store.backend.near
    gone = _unneeded(project) if unreachable else []
    yield from (_stored(near, file, "an object of no present clip and parameters") for file in gone)
    over = set(near.excess()) - set(gone)
    yield from (_stored(near, file, "over the store's cap, used least recently") for file in over)


def _unneeded(project: Project) -> list[StoredFile]:
    needed = needed_objects(project)
    clips = {clip.sha256 for clip in read_clips(project)}
    near = project.store.backend.near
    return [
        file
        for file in near.files()
        if file.name not in needed and not _is_of_training(near, file.name, clips)
    ]


def _is_of_training(near: LocalFolder, name: str, clips: set[str]) -> bool:
    """Whether a training keeps an object: the answers of folds, a backbone, or a present clip's features.

    Which of them it will ask for, only a training can tell; answers are small and took hours.
    """
    kind = name.partition("/")[0]
    if kind != features.KIND:
        return kind in (trainings.KIND, features.WEIGHTS_KIND)
    try:
        return read_meta(near.root / name).get("clip") in clips
    except (FileNotFoundError, DamagedObjectError):
        return False


def _stored(near: LocalFolder, file: StoredFile, why: str) -> Orphan:
    return Orphan(str(near.root / file.name), file.size, why)


def needed_objects(project: Project) -> set[str]:
    """The names of all objects that the present clips have under the present parameters."""
    clips = read_clips(project)
    names = {name for clip in clips for name in project.chain.objects(clip)}
    return names | {inspection_object(clip.sha256) for clip in clips}


def _temporary(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob(".*.tmp")):
        named = _TEMPORARY.fullmatch(path.name)
        if named and not is_alive(int(named["process"])):
            yield path


def _temporary_of_dvc(root: Path) -> Iterator[Path]:
    """A cache outside of the project is perhaps shared with others, whose DVC may run."""
    cache = dvc_cache(root)
    for folder in (cache.objects, cache.runs) if cache else ():
        for path in sorted(folder.rglob("*.tmp")):
            if path.is_relative_to(root) or _is_old(path):
                yield path


def _is_old(path: Path) -> bool:
    return system.utc_now().timestamp() - path.stat().st_mtime > _SHARED_S


def _is_objects(store: Path, temporary: Path) -> bool:
    named = _TEMPORARY.fullmatch(temporary.name)
    place = temporary.parent.relative_to(store).as_posix()
    return named is not None and is_object(f"{place}/{named['name']}")


def _holds_clips(project: Project, path: Path) -> bool:
    """Whether the data set lies there."""
    if "://" in project.dataset_root:
        return False
    clips, path = Path(project.dataset_root).resolve(), path.resolve()
    return clips.is_relative_to(path) or path.is_relative_to(clips)


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _orphan(path: Path, why: str) -> Orphan:
    files = [path] if path.is_symlink() or path.is_file() else path.rglob("*")
    return Orphan(str(path), sum(file.lstat().st_size for file in files), why)


def _seen_from(root: Path, orphan: Orphan) -> Orphan:
    path = Path(orphan.path)
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return Orphan(str(shown), orphan.size, orphan.why)
