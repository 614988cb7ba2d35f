"""Where a data set lies: a folder, or s3://bucket/prefix. It is only ever read."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from components.core.errors import BadDataError, StorageError, UsageError
from components.core.files import atomic_path

FETCHED = Path(".tailwatch/clips")
_CONNECT_S, _READ_S, _ATTEMPTS = 5, 30, 4
_MD5_LENGTH = 32  # an ETag of this many hexadecimal digits is the MD5 of the content


class Source(Protocol):
    """A data set's files."""

    def list(self) -> list[str]:
        """All files as uris from the root, sorted, hidden ones left out."""

    def local(self, uri: str) -> Path:
        """The file on this machine.

        Raises:
            BadDataError: no such file.
            StorageError: the store of the data set does not answer.
        """


def open_root(root: str, fetched: Path = FETCHED) -> Source:
    """The data set at a root.

    Args:
        root: a folder, or s3://bucket/prefix (endpoint and keys as every AWS client: AWS_ENDPOINT_URL, ...).
        fetched: folder where remote files are kept once they were fetched.

    Raises:
        UsageError: another scheme, or a folder that is not there.
    """
    scheme, separator, rest = root.partition("://")
    if not separator:
        return LocalSource(_folder(Path(root)))
    if scheme != "s3" or not rest.partition("/")[0]:
        raise UsageError(
            f"The data set's root is {root}",
            wanted="a folder or s3://bucket/prefix",
            remedy="correct dataset.root in params.yaml",
        )
    bucket, _, prefix = rest.partition("/")
    return S3Source(bucket, prefix.strip("/"), fetched)


def _folder(root: Path) -> Path:
    if not root.is_dir():
        raise UsageError(
            f"{root} is not a folder",
            wanted="the folder of the data set",
            remedy="correct dataset.root in params.yaml, or the environment variable that stands before it",
        )
    return root


class LocalSource:
    """A data set in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self) -> list[str]:
        """All files as uris from the root, sorted, hidden ones left out."""
        return sorted(_walk(self.root, PurePosixPath(), frozenset()))

    def local(self, uri: str) -> Path:
        """The file itself.

        Raises:
            BadDataError: no such file, or one outside the data set.
        """
        path = self.root / _inside(uri)
        if not path.is_file():
            raise BadDataError(
                f"{ascii(uri)[1:-1]} is not in the data set",
                wanted="the files that ingest saw",
                remedy="put it back, or run `dvc repro` so that ingest sees what is there",
            )
        return path


def _walk(folder: Path, place: PurePosixPath, above: frozenset[str]) -> Iterator[str]:
    real = os.path.realpath(folder)
    if real in above:  # a link to a folder that it lies in
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _walk(folder / entry.name, place / entry.name, above | {real})
            elif entry.is_file():
                yield str(place / entry.name)


def _inside(uri: str) -> PurePosixPath:
    path = PurePosixPath(uri)
    if path.is_absolute() or ".." in path.parts or "\0" in uri:
        raise BadDataError(
            f"{ascii(uri)[1:-1]} does not lie inside the data set",
            wanted="a path from the data set's root, without `..`",
            remedy="correct it in clips.csv",
        )
    return path


class S3Source:
    """A data set below a prefix of a bucket."""

    def __init__(self, bucket: str, prefix: str, fetched: Path) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.fetched = fetched

    def list(self) -> list[str]:
        """All objects as uris from the root, sorted, hidden ones left out."""
        keys: list[str] = []
        with self._answering(self.prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix
            ):
                keys.extend(item["Key"] for item in page.get("Contents", ()))
        uris = (key[len(self.prefix) :] for key in keys)
        return sorted(uri for uri in uris if _is_shown(uri))

    def local(self, uri: str) -> Path:
        """The object fetched, once for each version of it.

        Raises:
            BadDataError: no such object.
            StorageError: no answer, or a body that does not agree with its checksum.
        """
        key = f"{self.prefix}{_inside(uri)}"
        with self._answering(key):
            head = self._client.head_object(Bucket=self.bucket, Key=key)
        etag = head["ETag"].strip('"')
        name = hashlib.sha256(f"{self.bucket}/{key}:{etag}:{head['ContentLength']}".encode()).hexdigest()
        path = self.fetched / f"{name}{PurePosixPath(uri).suffix.lower()}"
        if not path.is_file():
            self._fetch(key, path, None if "SSEKMSKeyId" in head else etag, head["ContentLength"])
        return path

    def _fetch(self, key: str, path: Path, etag: str | None, size: int) -> None:
        with atomic_path(path) as temporary:
            with self._answering(key):
                self._client.download_file(self.bucket, key, str(temporary))
            if temporary.stat().st_size != size or not _agrees(temporary, etag):
                raise StorageError(
                    f"s3://{self.bucket}/{key} arrived damaged",
                    wanted=f"{size} bytes with the ETag {etag}",
                    remedy="run it again; if that fails again, upload the file anew",
                )

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        retries: Any = {"mode": "adaptive", "total_max_attempts": _ATTEMPTS}
        return boto3.client(
            "s3", config=Config(connect_timeout=_CONNECT_S, read_timeout=_READ_S, retries=retries)
        )

    @contextmanager
    def _answering(self, key: str) -> Iterator[None]:
        """Turn what goes wrong on the way into our own errors."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        where = f"s3://{self.bucket}/{key}"
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in {"404", "NoSuchKey", "NoSuchBucket"}:
                raise BadDataError(
                    f"{where} is not there ({code})",
                    wanted="the bucket and the objects that dataset.root and clips.csv name",
                    remedy="correct the address, or upload the file",
                ) from error
            raise self._no_answer(where, code or str(error)) from error
        except (BotoCoreError, Boto3Error) as error:
            raise self._no_answer(where, str(error)) from error

    def _no_answer(self, where: str, reason: str) -> StorageError:
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "AWS"
        return StorageError(
            f"{where} could not be read from {endpoint}: {reason}",
            wanted="an object store that answers, and keys that may read",
            remedy="check AWS_ENDPOINT_URL and the AWS keys, then run it again: what was fetched is kept",
        )


def _is_shown(uri: str) -> bool:
    return bool(uri) and not uri.endswith("/") and not any(part.startswith(".") for part in uri.split("/"))


def _agrees(path: Path, etag: str | None) -> bool:
    if etag is None or len(etag) != _MD5_LENGTH:
        return True
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == etag
