"""What DVC recorded of the outs, and whether it still lies there.

DVC itself trusts a file whose size and times did not change; here every byte is read.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipelines.artifacts import Project
from pipelines.provenance import LOCK_FILE, read_provenance

CACHE = Path(".dvc/cache/files/md5")
STAGES_FILE = "dvc.yaml"
_FOLDER = ".dir"  # ends the digest of a folder, which is that of its listing as JSON


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
        for stage in stages_asked_for(project)
        if stage in known
        for path, md5 in known[stage].outs.items()
    ]


def stages_asked_for(project: Project) -> list[str]:
    """DVC's names of all stages under the present parameters, in the order of dvc.yaml."""
    stages = yaml.safe_load((project.root / STAGES_FILE).read_text(encoding="utf-8"))["stages"]
    return [name for stage, body in stages.items() for name in _items(project, stage, body)]


def _items(project: Project, stage: str, body: dict[str, str]) -> list[str]:
    if "foreach" not in body:
        return [stage]
    section = body["foreach"].removeprefix("${").removesuffix("}")
    return [f"{stage}@{item}" for item in getattr(project.params, section)]


def damage(root: Path, out: RecordedOut) -> dict[str, str]:
    """What is wrong, by the path of each damaged file from the project's root; empty for a whole out."""
    if not (root / out.path).exists():
        return {out.path: "is missing"}
    if not out.md5.endswith(_FOLDER):
        found = md5_of(root / out.path)
        return {} if found == out.md5 else {out.path: f"its MD5 is {found}, not {out.md5}"}
    listing = _listing(root / out.path)
    if _listing_md5(listing) == out.md5:
        return {}
    recorded = _recorded_listing(root, out.md5)
    if recorded is None:
        return {out.path: "its content is not what DVC recorded"}
    return {f"{out.path}/{name}": reason for name, reason in _differences(recorded, listing)}


def damaged_cache(root: Path) -> dict[str, str]:
    """The objects of DVC's cache whose content is not what they are named after, by path from the root."""
    found = {}
    for path in sorted((root / CACHE).glob("??/*")):
        md5 = path.parent.name + path.name.removesuffix(_FOLDER)
        if path.suffix != ".tmp" and path.is_file() and md5_of(path) != md5:
            found[str(path.relative_to(root))] = "its MD5 is not its name"
    return found


def md5_of(path: Path) -> str:
    """Hexadecimal MD5 of a file, by which DVC knows it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _listing(folder: Path) -> dict[str, str]:
    """MD5 by path from the folder; temporary files are none of DVC's, by .dvcignore."""
    return {
        path.relative_to(folder).as_posix(): md5_of(path)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".tmp"
    }


def _listing_md5(listing: dict[str, str]) -> str:
    entries = [{"md5": listing[name], "relpath": name} for name in sorted(listing)]
    text = json.dumps(entries, sort_keys=True).encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest() + _FOLDER


def _recorded_listing(root: Path, md5: str) -> dict[str, str] | None:
    path = root / CACHE / md5[:2] / md5[2:]
    try:
        listing = {entry["relpath"]: entry["md5"] for entry in json.loads(path.read_bytes())}
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return listing if _listing_md5(listing) == md5 else None


def _differences(recorded: dict[str, str], found: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted(recorded.keys() | found.keys()):
        if name not in found:
            yield name, "is missing"
        elif name not in recorded:
            yield name, "is not DVC's"
        elif found[name] != recorded[name]:
            yield name, f"its MD5 is {found[name]}, not {recorded[name]}"
