"""One stage's part of DVC's run-cache, for all that the stage stands on now: the whole grows without end."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.dvc_state import pipeline_stages

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.stage import PipelineStage

_HASH = "md5-dos2unix"  # by which DVC finds the folder of the run-cache


def fetch_runs(repo: "Repo", name: str) -> None:
    """Bring what the remote remembers of this stage run with these deps and parameters."""
    for remote, place, here in _runs(repo, name):
        for path in remote.fs.find(place) if remote.fs.exists(place) else ():
            target = here / remote.fs.name(path)
            if not target.exists():
                here.mkdir(parents=True, exist_ok=True)
                temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
                remote.fs.get_file(path, str(temporary))
                temporary.replace(target)


def send_runs(repo: "Repo", name: str) -> None:
    """Let the remote remember the same."""
    for remote, place, here in _runs(repo, name):
        for path in sorted(here.glob("*")):
            target = remote.fs.join(place, path.name)
            if not path.name.endswith(".tmp") and not remote.fs.exists(target):
                _send(remote.fs, path, target)


def _send(fs: Any, path: Path, target: str) -> None:
    if fs.protocol != "local":  # a bucket shows an object when it is whole
        fs.put_file(str(path), target)
        return
    fs.makedirs(fs.parent(target), exist_ok=True)
    temporary = f"{target}.{os.getpid()}.tmp"
    fs.put_file(str(path), temporary)
    fs.move(temporary, target)


def _runs(repo: "Repo", name: str) -> Iterator[tuple[Any, str, Path]]:
    """The remote, and the folders there and here that hold a stage's entries of the run-cache, if it has any.

    DVC keeps none of a stage that reads from another server.
    """
    from dvc.stage.cache import _can_hash, _get_stage_hash

    stage = stage_of(repo, name)
    with locked(repo):
        stage.save_deps()
    if _can_hash(stage):
        key = _get_stage_hash(stage)
        remote = repo.cloud.get_remote_odb(None, "push --run-cache", hash_name=_HASH)
        place = remote.fs.join(remote.path, "runs", key[:2], key)
        yield remote, place, Path(repo.stage_cache.cache_dir, key[:2], key)


def stage_of(repo: "Repo", name: str) -> "PipelineStage":
    """A stage as DVC sees it now."""
    return pipeline_stages(repo.index.stages)[name]


def locked(repo: "Repo") -> AbstractContextManager[None]:
    """DVC's lock, also where it is held already."""
    from dvc.repo import lock_repo

    held: AbstractContextManager[None] = lock_repo(repo)
    return held
