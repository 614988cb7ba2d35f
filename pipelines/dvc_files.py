"""Files as DVC names them: a file by its MD5, a folder by that of its listing.

dvc.lock and DVC's cache bear these digests, so what has the digest is what DVC saw.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pathspec

FOLDER = ".dir"  # ends the digest of a folder


def file_md5(path: Path) -> str:
    """Hexadecimal MD5 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def folder_files(root: Path, folder: str) -> dict[str, str]:
    """MD5 of every file below a folder of a project, but for .dvcignore's, by its path from the folder."""
    return {path.relative_to(root / folder).as_posix(): file_md5(path) for path in _files(root, folder)}


def folder_md5(files: Mapping[str, str]) -> str:
    """The digest by which DVC names a folder of these files."""
    return hashlib.md5(listing(files), usedforsecurity=False).hexdigest() + FOLDER


def listing(files: Mapping[str, str]) -> bytes:
    """A folder's content as DVC writes it down."""
    return json.dumps([{"md5": files[name], "relpath": name} for name in sorted(files)]).encode()


def read_listing(path: Path, md5: str) -> dict[str, str] | None:
    """The files of a folder's listing, MD5 by path; None where it is not there or is not what md5 names."""
    try:
        files = {entry["relpath"]: entry["md5"] for entry in json.loads(path.read_bytes())}
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return files if folder_md5(files) == md5 else None


def digest_now(root: Path, path: str) -> str:
    """The digest that dvc.lock would have now for a file or folder; empty if it is not there."""
    if (root / path).is_dir():
        return folder_md5(folder_files(root, path))
    return file_md5(root / path) if (root / path).is_file() else ""


def _files(root: Path, folder: str) -> Iterator[Path]:
    ignored = _ignored(root)
    for place, folders, names in os.walk(root / folder):
        here = Path(place)
        folders[:] = [name for name in folders if not _matches(ignored, root, here / name, "/")]
        yield from (here / name for name in names if not _matches(ignored, root, here / name))


def _matches(ignored: pathspec.GitIgnoreSpec, root: Path, path: Path, end: str = "") -> bool:
    return bool(ignored.match_file(f"{path.relative_to(root).as_posix()}{end}"))


def _ignored(root: Path) -> pathspec.GitIgnoreSpec:
    path = root / ".dvcignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return pathspec.GitIgnoreSpec.from_lines(lines)
