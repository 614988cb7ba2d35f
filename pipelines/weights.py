"""weights: fetch Mask R-CNN's COCO weights for the pixellib segmenter; packages carry every other network.

The pinned digest is that of a public Git LFS pointer to a file of the release's name and size; the MD5 is the
one that NVIDIA's guide to converting this file prints.
"""

import hashlib
import shutil
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

from components.core.errors import BadDataError, StorageError
from components.core.files import atomic_path, file_sha256
from pipelines.artifacts import Project

URL = "https://github.com/matterport/Mask_RCNN/releases/download/v2.0/mask_rcnn_coco.h5"
SIZE_BYTES = 257_557_808
MD5 = "e98aaff6f99e307b5e2a8a3ff741a518"
TIMEOUT_S = 60.0


def run(project: Project) -> str:
    """Fetch the weights unless they are there, and say what to write into params.yaml.

    Raises:
        StorageError: the file cannot be fetched; the message says where to get it and where to put it.
        BadDataError: another file came.
    """
    pixellib = project.params.segment.pixellib
    path = project.root / (pixellib.weights or project.state("weights", "mask_rcnn_coco.h5"))
    if not (path.is_file() and file_sha256(path) == pixellib.sha256):
        fetch(URL, path, pixellib.sha256)
    return how_to_use(path.relative_to(project.root) if path.is_relative_to(project.root) else path)


def fetch(url: str, path: Path, sha256: str) -> None:
    """Fetch a file to `path`, which appears only when it is whole and the right one.

    Raises:
        StorageError: the address does not answer.
        BadDataError: what came has another digest.
    """
    with atomic_path(path) as temporary:
        try:
            answer = urllib.request.urlopen(url, timeout=TIMEOUT_S)  # noqa: S310 - a fixed https address
            with answer, temporary.open("wb") as stream:
                _copy(answer, stream, int(answer.headers.get("Content-Length") or 0))
        except (OSError, HTTPException) as error:
            raise StorageError(
                f"{url} cannot be fetched: {error}",
                wanted=f"{Path(url).name}, {SIZE_BYTES:,} bytes, sha256 {sha256}",
                remedy=f"fetch it elsewhere, put it at {path} and set segment.pixellib.weights to that path",
            ) from error
        check(temporary, url, sha256)


def check(path: Path, url: str, sha256: str) -> None:
    """Refuse a fetched file of another digest.

    Raises:
        BadDataError: it has.
    """
    found = file_sha256(path)
    if found == sha256:
        return
    with path.open("rb") as stream:
        md5 = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    raise BadDataError(
        f"{url} gave a file of {path.stat().st_size:,} bytes with the sha256 {found} and the MD5 {md5}",
        wanted=f"sha256 {sha256}",
        remedy=f"if its MD5 is {MD5}, as NVIDIA's guide has it, set segment.pixellib.sha256 to {found}",
    )


def how_to_use(path: Path) -> str:
    """The lines of params.yaml that use the weights."""
    return f"segment:\n  backend: pixellib\n  pixellib:\n    weights: {path}"


def _copy(source: BinaryIO, target: BinaryIO, size_bytes: int) -> None:
    from tqdm import tqdm

    total = size_bytes or None
    with tqdm.wrapattr(source, "read", total=total, leave=False, disable=None) as reader:
        shutil.copyfileobj(reader, target, 1 << 20)
