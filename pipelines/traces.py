"""Files that this project made and that hold certain clips."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from components.core.files import file_sha256
from pipelines.artifacts import Project
from pipelines.clip_names import ClipNames
from pipelines.clips_known import FORGOTTEN
from pipelines.dvc_state import DvcState

_BY_ITEM = ("reshape", "train", "evaluate")  # stages whose outs lie in a folder per item
_PAGES = ("reports", "dvc_plots")
_APART = (
    "store",
    "clips",
    "checkpoints",
    FORGOTTEN,
)  # parts of .tailwatch that are looked at each in its way


def local_traces(
    project: Project, dvc: DvcState, names: ClipNames, digests: Collection[str]
) -> dict[str, list[str]]:
    """Files and folders to be removed, by what they are.

    Args:
        digests: SHA-256 of the clips' bytes.
    """
    objects = set(_cached(dvc.cache, names))
    found = {
        "outs": _holding(_units(project.root), names),
        "reports": _holding((project.root / name for name in _PAGES), names),
        "fetched clips": _fetched(project.state("clips"), digests),
        "checkpoints of unfinished trainings": sorted(project.state("checkpoints").glob("*")),
        "notes": [path for path in _notes(project) if names.in_file(path)],
        "objects in DVC's cache": [path for path in dvc.cache.glob("*/*") if _md5(path) in objects],
        "runs in DVC's cache": [path for path in dvc.run_cache.glob("*/*/*") if _speaks_of(path, objects)],
        "DVC's digests of files": _holding([dvc.site_cache], names),
    }
    return {kind: [_shown(project.root, path) for path in sorted(paths)] for kind, paths in found.items()}


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
    """Small files that are remembered between runs, ours and DVC's."""
    for path in project.state().rglob("*"):
        if path.is_file() and path.relative_to(project.state()).parts[0] not in _APART:
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
    text = path.read_text(encoding="utf-8")
    return any(md5 in text for md5 in objects)


def _shown(root: Path, path: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
