"""What DVC recorded of the outs, and whether it still lies there.

DVC itself trusts a file whose size and times did not change; here every byte is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.artifacts import Project
from pipelines.dvc_files import FOLDER, file_md5, folder_files, folder_md5, read_listing
from pipelines.dvc_state import dvc_cache
from pipelines.provenance import LOCK_FILE, read_provenance
from pipelines.stage_graph import stage_names


@dataclass(frozen=True)
class RecordedOut:
    """A file or folder that a stage wrote.

    Attributes:
        stage: by DVC's name: "train@fusion".
        path: from the project's root.
        md5: of the file, or of the folder's listing, in which case it ends with .dir.
    """

    stage: str
    path: str
    md5: str


def recorded_outs(project: Project) -> list[RecordedOut]:
    """The outs of the stages and items that are asked for now, in the order of dvc.yaml."""
    if not (project.root / LOCK_FILE).is_file():
        return []
    known = read_provenance(project.root).stages
    return [
        RecordedOut(stage, path, md5)
        for stage in stage_names(project.root, project.params)
        if stage in known
        for path, md5 in known[stage].outs.items()
    ]


def damage(root: Path, out: RecordedOut) -> dict[str, str]:
    """What is wrong, by the path of each damaged file from the project's root; empty for a whole out."""
    if not (root / out.path).exists():
        return {out.path: "is missing"}
    if not out.md5.endswith(FOLDER):
        found = file_md5(root / out.path)
        return {} if found == out.md5 else {out.path: f"its MD5 is {found}, not {out.md5}"}
    files = folder_files(root, out.path)
    if folder_md5(files) == out.md5:
        return {}
    recorded = _recorded_listing(root, out.md5)
    if recorded is None:
        return {out.path: "its content is not what DVC recorded"}
    return {f"{out.path}/{name}": reason for name, reason in _differences(recorded, files)}


def damaged_cache(root: Path) -> dict[str, str]:
    """The objects of DVC's cache whose content is not what they are named after, by path.

    A path is from the root where the cache lies below it.
    """
    found = {}
    cache = dvc_cache(root)
    for path in sorted(cache.objects.glob("??/*")) if cache else ():
        md5 = path.parent.name + path.name.removesuffix(FOLDER)
        if path.suffix != ".tmp" and path.is_file() and file_md5(path) != md5:
            shown = path.relative_to(root) if path.is_relative_to(root) else path
            found[str(shown)] = "its MD5 is not its name"
    return found


def _recorded_listing(root: Path, md5: str) -> dict[str, str] | None:
    cache = dvc_cache(root)
    return read_listing(cache.objects / md5[:2] / md5[2:], md5) if cache else None


def _differences(recorded: dict[str, str], found: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted(recorded.keys() | found.keys()):
        if name not in found:
            yield name, "is missing"
        elif name not in recorded:
            yield name, "is not DVC's"
        elif found[name] != recorded[name]:
            yield name, f"its MD5 is {found[name]}, not {recorded[name]}"
