"""Files that this project made and that hold certain clips."""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from components.core.files import file_sha256
from components.serving import score_log
from pipelines.artifacts import Project
from pipelines.clip_names import ClipNames
from pipelines.clips_known import FORGOTTEN
from pipelines.dvc_state import DvcCache, DvcState
from pipelines.retraining.kept import Kept, kept_by_retrainings, kept_places

_BY_ITEM = ("reshape", "train", "evaluate")  # stages whose outs lie in a folder per item
_PAGES = ("reports", "dvc_plots")
_MD5 = re.compile(r"\b[0-9a-f]{32}(?:\.dir)?")
_APART = ("clips", "checkpoints", FORGOTTEN)  # parts of .tailwatch that are looked at each in its way


def local_traces(
    project: Project, dvc: DvcState, names: ClipNames, digests: Collection[str]
) -> dict[str, list[str]]:
    """Files and folders to be removed, by what they are.

    Args:
        digests: SHA-256 of the clips' bytes.
    """
    kept = kept_by_retrainings(project.root)
    caches = caches_of(dvc, kept)
    objects = {md5 for cache in caches for md5 in _cached(cache.objects, names)}
    found = {
        "outs": _holding(_units(project.root), names),
        "reports": _holding((project.root / name for name in _PAGES), names),
        "fetched clips": _fetched(project.state("clips"), digests),
        "checkpoints of unfinished trainings": sorted(project.state("checkpoints").glob("*")),
        "notes": [path for path in _notes(project) if names.in_file(path)],
        "objects in DVC's caches": [
            path for cache in caches for path in cache.objects.glob("*/*") if _md5(path) in objects
        ],
        "runs in DVC's caches": [
            path for cache in caches for path in cache.runs.glob("*/*/*") if _speaks_of(path, objects)
        ],
        "DVC's digests of files": _holding([dvc.site_cache], names),
        "retrainings": [run for run in kept.runs if names.below(run) or _tells_of(run, objects)],
        "newest entries of stages": [path for path in kept.newest if _speaks_of(path, objects)],
        "copies and leavings of retrainings": [
            *kept.copies,
            *(path for path in kept.leavings if names.in_file(path) or names.below(path)),
        ],
    }
    return {kind: [_shown(project.root, path) for path in sorted(paths)] for kind, paths in found.items()}


def score_lines(project: Project, names: ClipNames) -> dict[str, int]:
    """How many lines tell of the clips, by file in which scored clips are written down on this machine."""
    counted = ((path, score_log.count_lines(path, names)) for path in _score_files(project))
    return {_shown(project.root, path): n for path, n in counted if n}


def _score_files(project: Project) -> list[Path]:
    """Of the project's own folder, and of the one that TAILWATCH_SCORES names."""
    own, place = project.state("scores"), score_log.scores_place(project.root)
    folders = {own, *([] if place is None or "://" in place else [Path(place).resolve()])}
    return sorted({path for folder in folders for path in score_log.files(folder)})


def caches_of(dvc: DvcState, kept: Kept) -> list[DvcCache]:
    """Every folder that is laid out as DVC's cache: the project's own, and those of its retrainings."""
    return [DvcCache(dvc.cache, dvc.run_cache), *kept.caches]


def _holding(folders: Collection[Path] | Iterator[Path], names: ClipNames) -> list[Path]:
    return [folder for folder in folders if folder.is_dir() and names.below(folder)]


def _units(root: Path) -> Iterator[Path]:
    """The folders that one run of a stage fills."""
    for folder in sorted((root / "outs").glob("*")):
        if folder.name in _BY_ITEM:
            yield from sorted(folder.glob("*"))
        else:
            yield folder


def _fetched(folder: Path, digests: Collection[str]) -> list[Path]:
    return [path for path in folder.glob("*") if path.is_file() and file_sha256(path) in digests]


def _notes(project: Project) -> Iterator[Path]:
    """Files that are remembered between runs, ours and DVC's, such as a store that was used before."""
    scores = set(_score_files(project))
    apart = (
        *(project.state(name) for name in _APART),
        project.store.backend.near.root,
        *kept_places(project.root),
    )
    for path in project.state().rglob("*"):
        is_apart = path in scores or any(path.is_relative_to(folder) for folder in apart)
        if path.is_file() and not is_apart:
            yield path
    yield from (path for path in (project.root / ".dvc" / "tmp").rglob("*") if path.is_file())


def _cached(cache: Path, names: ClipNames) -> Iterator[str]:
    """MD5 of objects that hold a clip; of a folder that names one, all of its files."""
    own = {_md5(path) for path in cache.glob("*/*") if path.suffix != ".dir" and names.in_file(path)}
    yield from own
    for path in cache.glob("*/*.dir"):
        members = {entry["md5"] for entry in json.loads(path.read_bytes())}
        if members & own:
            yield _md5(path)
            yield from members


def _md5(path: Path) -> str:
    return f"{path.parent.name}{path.name}"


def _speaks_of(path: Path, objects: Collection[str]) -> bool:
    return any(md5 in objects for md5 in _MD5.findall(path.read_text(encoding="utf-8")))


def _tells_of(run: Path, objects: Collection[str]) -> bool:
    return any(_speaks_of(path, objects) for path in run.glob("lock/*.json"))


def _shown(root: Path, path: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
