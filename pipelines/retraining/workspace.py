"""A private workspace: the project at a run's commit, in which one stage runs and touches nothing else."""

import configparser
import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any

import yaml

from components.core import system
from components.core.errors import UsageError
from components.core.files import write_text
from components.tracking.store import URI_VARIABLE
from pipelines.artifacts import STATE_FOLDER
from pipelines.dvc_command import environment
from pipelines.params import PARAMS_FILE, ROOT_VARIABLE, STORE_VARIABLE, check_is_project
from pipelines.provenance import TAGS_VARIABLE
from pipelines.retraining import git
from pipelines.retraining.places import Places
from pipelines.retraining.run import Run
from pipelines.work_tree import SITE_CACHE, is_in_project, link_data_set

log = logging.getLogger("tailwatch")

KEEP_VARIABLE = "TAILWATCH_KEEP_WORKSPACES"
CACHE = "cache"
SHARED = "shared"
COPIES = ("near", "clips")  # of what lies in a bucket
_COMMON = (*COPIES, "weights", "costs")  # caches that are named by content or checked by digest
_REMOTE = "retraining"


@dataclass(frozen=True)
class Workspace:
    """A project's folder of a run.

    Attributes:
        root: the folder of dvc.yaml.
        environment: of the processes that work in it.
    """

    root: Path
    environment: dict[str, str]

    def state(self, *names: str) -> Path:
        """The path of something that is remembered but is no output."""
        return self.root.joinpath(STATE_FOLDER, *names)


@contextmanager
def workspace(places: Places, run: Run, name: str) -> Iterator[Workspace]:
    """A fresh workspace for a stage or a step; it is removed in the end, as are those of dead processes.

    Raises:
        BadDataError, StorageError: the commit cannot be checked out.
        UsageError: the data set's root cannot be meant.
    """
    places.workspaces.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _slot(places.workspaces, name) as folder:
        try:
            root = git.check_out(places.project, places.project_folder, run.commit, folder)
            yield _prepared(places, run, root)
        except BaseException:
            if os.environ.get(KEEP_VARIABLE) == "1" and folder.is_dir():
                _keep(folder, places.workspaces / "kept", f"{run.name}.{name}")
            raise
        finally:
            _remove(folder)


def _prepared(places: Places, run: Run, root: Path) -> Workspace:
    check_is_project(root)
    params = yaml.safe_load((root / PARAMS_FILE).read_text(encoding="utf-8"))
    _place_data_set(places, run, root, params)
    _write_config(places, root)
    for shared in _COMMON:
        target = places.workspaces / SHARED / shared
        target.mkdir(parents=True, exist_ok=True)
        (root / STATE_FOLDER).mkdir(exist_ok=True)
        (root / STATE_FOLDER / shared).symlink_to(target, target_is_directory=True)
    variables = {
        "PYTHONPATH": str(root),
        "DVC_NO_ANALYTICS": "1",
        SITE_CACHE: str(places.workspaces / "site-cache"),
        STORE_VARIABLE: _store(places, params),
        URI_VARIABLE: places.tracking,
        TAGS_VARIABLE: json.dumps(dict(run.tags), sort_keys=True),
    }
    own = environment(**variables)
    own.pop(ROOT_VARIABLE, None)  # the run has settled it: params.yaml says so
    own.pop("DVC_STAGE", None)
    for name, value in (("LOGNAME", "tailwatch"), ("HOME", str(places.workspaces))):
        own.setdefault(name, value)  # a container's user need have neither, and DVC asks for both
    return Workspace(root, own)


def _place_data_set(places: Places, run: Run, root: Path, params: dict[str, Any]) -> None:
    """Name the data set's root in params.yaml as the run has it; one in the project is linked to.

    One beside the project is named by its absolute path: what lies beside a workspace is not its own.
    """
    said = params["dataset"]["root"]
    wanted = _placed(places, root, run.dataset_root or said)
    if wanted != said:
        params["dataset"]["root"] = wanted
        write_text(root / PARAMS_FILE, yaml.safe_dump(params, sort_keys=False, allow_unicode=True))


def _placed(places: Places, root: Path, wanted: str) -> str:
    if "://" in wanted or Path(wanted).is_absolute():
        return wanted
    if places.project_folder is None:
        if is_in_project(wanted) and (root / wanted).exists():
            return wanted
        raise UsageError(
            f"The data set's root is {wanted}, which is not in the repository {places.project}",
            wanted="an absolute path or s3://bucket/prefix",
            remedy="begin a run with --dataset-root",
        )
    if not is_in_project(wanted):
        return os.path.normpath(places.project_folder / wanted)
    link_data_set(root / wanted, places.project_folder / wanted)
    return wanted


def _store(places: Places, params: dict[str, Any]) -> str:
    named = places.store or params.get("store", {}).get("root", f"{STATE_FOLDER}/store")
    if "://" in named or Path(named).is_absolute():
        return str(named)
    return str((places.project_folder or places.workspaces) / named)


def _write_config(places: Places, root: Path) -> None:
    """Tell DVC of the run's remote, and of the cache that the machine's workspaces share."""
    remote = {"url": places.remote, "verify": "true"}  # DVC itself trusts what a bucket holds
    server = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if "://" in places.remote and server:
        remote["endpointurl"] = server
    config = configparser.ConfigParser(interpolation=None)
    config["core"] = {"remote": _REMOTE, "analytics": "false", "check_update": "false"}
    config["cache"] = {"dir": str(places.workspaces / CACHE), "type": "reflink,hardlink,copy"}
    config[f"'remote \"{_REMOTE}\"'"] = remote
    with (root / ".dvc" / "config.local").open("w", encoding="utf-8") as stream:
        config.write(stream)


@contextmanager
def _slot(workspaces: Path, name: str) -> Iterator[Path]:
    """A folder that no other process uses; DVC remembers digests of files by the folder that it works in."""
    slots = workspaces / "slots"
    slots.mkdir(exist_ok=True)
    with ExitStack() as held:
        with (workspaces / "lock").open("a") as alone:
            fcntl.flock(alone, fcntl.LOCK_EX)
            _sweep(workspaces, slots)
            for number in count():
                folder = slots / f"{name}.{number}"
                if _is_ours(held.enter_context(_lock(folder).open("a"))):
                    break
        yield folder


@contextmanager
def holding_slots(workspaces: Path) -> Iterator[str]:
    """Hold every slot; the name of one that another process holds, or an empty one."""
    with ExitStack() as held:
        alone = held.enter_context((workspaces / "lock").open("a"))
        fcntl.flock(alone, fcntl.LOCK_EX)
        locks = [(path, held.enter_context(path.open("a"))) for path in workspaces.glob("slots/*.lock")]
        yield next((path.stem for path, lock in locks if not _is_ours(lock)), "")


def _sweep(workspaces: Path, slots: Path) -> None:
    """Remove what processes that are gone have left; the kernel has given their locks back."""
    living = False
    for path in slots.glob("*.lock"):
        folder = path.with_suffix("")
        with path.open("a") as lock:
            if not _is_ours(lock):
                living = True
            elif folder.is_dir():
                log.info("the workspace %s of a process that is gone is removed", folder.name)
                _remove(folder)
    if not living:  # then nobody is writing to the cache: these are halves of files
        for half in (workspaces / CACHE).glob("files/md5/*/.*.tmp"):
            system.remove(half)


def _lock(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _is_ours(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(folder: Path) -> None:
    """Remove a workspace, though a process of it may still be writing its last."""
    gone = folder.with_name(f".{folder.name}.{os.getpid()}.gone")
    with suppress(FileNotFoundError):
        folder.rename(gone)
    for left in folder.parent.glob(f".{folder.name}.*.gone"):
        shutil.rmtree(left, ignore_errors=True)


def _keep(folder: Path, kept: Path, name: str) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    target = next(kept / f"{name}.{k}" for k in count() if not (kept / f"{name}.{k}").exists())
    folder.rename(target)
    log.warning("the workspace is kept: %s", target)
