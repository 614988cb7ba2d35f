"""What a stage stood on when it ran, kept so that `tailwatch why` can say what changed in it since.

A listing of a folder bears the digest by which dvc.lock names the folder, and a text of a file that by which
a listing names the file, so what is found is what there was.
"""

import logging
from pathlib import Path

from components.core.files import atomic_path
from pipelines.artifacts import STATE_FOLDER
from pipelines.dvc_files import file_md5, folder_files, folder_md5, listing, read_listing
from pipelines.stage_graph import declared

log = logging.getLogger("tailwatch")

KEPT = Path(STATE_FOLDER, "ran")
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


def folder_then(root: Path, digest: str, cache: Path) -> dict[str, str] | None:
    """What a folder of this digest held: MD5 by path; None if nothing here remembers it.

    Args:
        digest: as dvc.lock has it.
        cache: DVC's cache, which keeps the listings of folders that stages made.
    """
    places = (root / KEPT / digest, cache / digest[:2] / digest[2:])
    return next((files for path in places if (files := read_listing(path, digest)) is not None), None)


def text_then(root: Path, md5: str) -> str | None:
    """The text of a file of code of this digest, or None."""
    path = root / KEPT / md5
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _declared(root: Path, stage: str) -> list[str]:
    """Folders and files that a stage names as deps; what depends on its item is bulk, which DVC lists."""
    return [dep for dep in declared(root, stage, "deps") if "$" not in dep]


def _keep(root: Path, dep: str) -> None:
    path = root / dep
    if path.is_file() and path.suffix in _TEXTS:
        _write(root, file_md5(path), path.read_bytes())
    elif path.is_dir():
        files = folder_files(root, dep)
        _write(root, folder_md5(files), listing(files))
        for name, md5 in files.items():
            if name.endswith(_TEXTS):
                _write(root, md5, (path / name).read_bytes())


def _write(root: Path, digest: str, content: bytes) -> None:
    target = root / KEPT / digest
    if not target.is_file():
        with atomic_path(target) as temporary:
            temporary.write_bytes(content)
