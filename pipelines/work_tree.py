"""A work tree of a project at one of its commits, in which stages run without touching the project."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from components.core import system
from components.core.errors import FinalError, ResourceError, StorageError, UsageError
from components.core.files import write_text
from components.core.scratch import scratch_folder
from pipelines.artifacts import STATE_FOLDER
from pipelines.dvc_command import environment, run_dvc
from pipelines.params import PARAMS_FILE, ROOT_VARIABLE, STORE_VARIABLE
from pipelines.recipe import Recipe
from pipelines.running import KILLED, recorded_codes

SITE_CACHE = "DVC_SITE_CACHE_DIR"
_SHARED = ("store", "near", "weights")  # caches that are named by content or checked by digest
_KINDS = {4: StorageError, 5: ResourceError, KILLED: ResourceError}


@contextmanager
def check_out(root: Path, recipe: Recipe, keep: Path | None) -> Iterator[Path]:
    """The project at the version's commit, in a clone that shares git's objects.

    Args:
        keep: a new folder, which stays; None for one that is removed in the end.

    Raises:
        UsageError: the folder holds something.
        StorageError: the commit is not in the repository.
    """
    with scratch_folder() as scratch:
        folder = (keep or scratch / "project").resolve()
        if folder.is_dir() and any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty", wanted="a new folder", remedy="name another")
        top, prefix = (_git(root, "rev-parse", flag) for flag in ("--show-toplevel", "--show-prefix"))
        _git(root, "clone", "--quiet", "--shared", "--no-checkout", top, str(folder))
        try:
            _git(folder, "checkout", "--quiet", "--detach", recipe.commit)
        except StorageError as error:
            raise StorageError(
                f"The commit {recipe.commit} is not in this repository",
                wanted="the history in which the version was made",
                remedy="fetch it (`git fetch`), then run this again",
            ) from error
        with _own_site_cache(folder):
            yield folder / prefix


@contextmanager
def _own_site_cache(folder: Path) -> Iterator[None]:
    """Let DVC remember digests of the work tree's files inside it, so that none stays elsewhere."""
    before = os.environ.get(SITE_CACHE)
    os.environ[SITE_CACHE] = str(folder / ".dvc" / "site-cache")
    try:
        yield
    finally:
        os.environ.pop(SITE_CACHE)
        if before is not None:
            os.environ[SITE_CACHE] = before


def _git(folder: Path, *arguments: str) -> str:
    done = system.run(["git", "-C", str(folder), *arguments])
    if done.returncode:
        raise StorageError(
            f"git {arguments[0]} failed: {done.stderr.strip()}",
            wanted="the project's git repository",
            remedy="mend what git names",
        )
    return done.stdout.strip()


def prepare(root: Path, tree: Path, recipe: Recipe, dataset: str, *, from_scratch: bool) -> None:
    """Put the version's parameters there, a cache of its own, and links to the data set and the store.

    Args:
        dataset: where the data set lies now.
        from_scratch: leave the store out.
    """
    write_text(tree / PARAMS_FILE, _with_root(recipe, dataset))
    write_text(tree / ".dvc" / "config.local", "[cache]\n    dir = cache\n")
    if is_in_project(recipe.folder):
        link_data_set(tree / recipe.folder, Path(dataset))
    for name in () if from_scratch else _SHARED:
        _link(tree / STATE_FOLDER / name, root.resolve() / STATE_FOLDER / name)


def _with_root(recipe: Recipe, dataset: str) -> str:
    """The version's params.yaml; a data set that had no place in the project is named where it lies now."""
    if is_in_project(recipe.folder) or dataset == recipe.dataset_root:
        return recipe.params
    values = yaml.safe_load(recipe.params)
    values["dataset"]["root"] = dataset
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def is_in_project(root: str) -> bool:
    """Whether a data set's root is a folder below the project's."""
    if "://" in root or Path(root).is_absolute():
        return False
    return Path(os.path.normpath(root)).parts[:1] not in ((), (os.pardir,))


def link_data_set(place: Path, target: Path) -> None:
    """Link to a data set as it lies there now, in the stead of what the commit has of it."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif target.is_dir() and place.is_dir():
        shutil.rmtree(place)
    _link(place, target)


def _link(place: Path, target: Path) -> None:
    if target.is_dir() and not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target.resolve(), target_is_directory=True)


def run_stage(tree: Path, stage: str, dataset: str, *, from_scratch: bool) -> None:
    """Run one stage through DVC, nothing taken from an earlier run, nothing filed in the project's MLflow.

    Args:
        from_scratch: keep results per clip in the work tree, wherever the project keeps them.

    Raises:
        StorageError, ResourceError, FinalError: it failed.
    """
    own = {STORE_VARIABLE: str(tree / STATE_FOLDER / "store")} if from_scratch else {}
    changed = environment(PYTHONPATH=str(tree), **{ROOT_VARIABLE: dataset}, **own)
    within = {name: value for name, value in changed.items() if not name.startswith("MLFLOW_")}
    done = run_dvc(tree, "repro", "--no-run-cache", "--single-item", stage, within=within)
    if done.returncode:
        kind = _KINDS.get(recorded_codes(tree).get(stage, 0), FinalError)
        raise kind(
            f"{stage} failed: {_last_lines(done.stderr or done.stdout)}",
            wanted="stages that run as they did when the version was made",
            remedy="mend what it names; with --keep FOLDER the work tree stays to be looked at",
        )


def _last_lines(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("tailwatch:")]
    return " ".join(told or lines[-3:]).rstrip(".")
