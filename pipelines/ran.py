"""What a stage stood on when it ran, kept so that `tailwatch why` can say what changed in it since.

A listing of a folder bears the digest by which dvc.lock names the folder, and a text of a file that by which
a listing names the file, so what is found is what there was.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pathspec
import yaml

from components.core.files import atomic_path

log = logging.getLogger("tailwatch")

KEPT = Path(".tailwatch", "ran")
_TEXTS = (".py", ".lock")


def keep(root: Path, stage: str) -> None:
    """Keep the listings and the code that a stage has just been run with.

    Args:
        root: the project's folder.
        stage: its name in dvc.yaml, without an item.
    """
    try:
        for dep in _declared(root, stage):
            _keep(root, dep)
    except OSError as error:  # the stage's result is whole; only a later explanation is poorer
        log.warning("`tailwatch why` will not know what %s ran with: %s", stage, error)


def folder_now(root: Path, folder: str) -> dict[str, str]:
    """MD5 of every file in a folder that DVC looks at, by its path from the folder."""
    return {str(path.relative_to(root / folder)): _md5(path.read_bytes()) for path in _files(root, folder)}


def digest_now(root: Path, path: str) -> str:
    """The digest by which dvc.lock would name a file or folder of code now; empty if it is not there."""
    if (root / path).is_dir():
        return folder_digest(folder_now(root, path))
    return _md5((root / path).read_bytes()) if (root / path).is_file() else ""


def folder_digest(files: Mapping[str, str]) -> str:
    """The digest by which DVC names a folder of these files."""
    return f"{_md5(_listing(files))}.dir"


def folder_then(root: Path, digest: str, cache: Path) -> dict[str, str] | None:
    """What a folder of this digest held: MD5 by path; None if nothing here remembers it.

    Args:
        digest: as dvc.lock has it.
        cache: DVC's cache, which keeps the listings of folders that stages made.
    """
    for path in (root / KEPT / digest, cache / digest[:2] / digest[2:]):
        if path.is_file():
            entries = json.loads(path.read_text(encoding="utf-8"))
            return {entry["relpath"]: entry["md5"] for entry in entries}
    return None


def text_then(root: Path, md5: str) -> str | None:
    """The text of a file of code of this digest, or None."""
    path = root / KEPT / md5
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _declared(root: Path, stage: str) -> list[str]:
    """Folders and files that a stage names as deps; what depends on its item is bulk, which DVC lists."""
    path = root / "dvc.yaml"
    if not path.is_file():
        return []
    body = yaml.safe_load(path.read_text(encoding="utf-8"))["stages"][stage]
    return [dep for dep in body.get("do", body)["deps"] if "$" not in dep]


def _keep(root: Path, dep: str) -> None:
    path = root / dep
    if path.is_file() and path.suffix in _TEXTS:
        _write(root, _md5(content := path.read_bytes()), content)
    elif path.is_dir():
        files = folder_now(root, dep)
        _write(root, folder_digest(files), _listing(files))
        for name, md5 in files.items():
            if name.endswith(_TEXTS):
                _write(root, md5, (path / name).read_bytes())


def _write(root: Path, digest: str, content: bytes) -> None:
    target = root / KEPT / digest
    if not target.is_file():
        with atomic_path(target) as temporary:
            temporary.write_bytes(content)


def _files(root: Path, folder: str) -> Iterator[Path]:
    """Files below a folder that .dvcignore does not leave out."""
    ignored = _ignored(root)
    for place, folders, names in os.walk(root / folder):
        here = Path(place)
        folders[:] = [name for name in folders if not ignored.match_file(f"{here / name}/")]
        yield from (here / name for name in names if not ignored.match_file(here / name))


def _ignored(root: Path) -> pathspec.GitIgnoreSpec:
    path = root / ".dvcignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return pathspec.GitIgnoreSpec.from_lines(lines)


def _listing(files: Mapping[str, str]) -> bytes:
    """A folder's content as DVC writes it down."""
    return json.dumps([{"md5": files[name], "relpath": name} for name in sorted(files)]).encode()


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
