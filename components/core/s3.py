"""Objects below a prefix of a bucket: sent whole or not at all, checked when they arrive."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from components.core.errors import BadDataError, StorageError, UsageError
from components.core.files import file_sha256
from components.core.s3_client import ATTEMPTS, MissingObjectError, RefusedError, answering, client, endpoint

_BODIES = 3  # attempts at an answer whose body breaks off or does not agree with its checksum
_BLOCK = 1 << 20
_PART = 16 << 20
_LARGE = 64 << 20  # larger files are sent in parts
_MD5_LENGTH = 32  # an ETag of this many hexadecimal digits is the MD5 of the content
_SHA256 = "sha256"  # our own checksum, in the object's metadata
_IS_THERE = {"412", "PreconditionFailed"}
_AT_THE_SAME_TIME = {"409", "ConditionalRequestConflict"}
_NO_CONDITIONS = {"501", "NotImplemented", "400", "InvalidArgument", "InvalidRequest"}


class DamagedTransferError(StorageError):
    """A body that was whole and did not agree with its checksum, time and again: the object is damaged."""


class NoConditionsError(UsageError):
    """The server knows no conditional writes."""


@dataclass(frozen=True)
class S3Object:
    """What a listing says of an object.

    Attributes:
        name: its key below the prefix.
        size: in bytes.
        modified_s: when it was written, in seconds since 1970.
    """

    name: str
    size: int
    modified_s: float


def is_address(root: str) -> bool:
    """Whether a root is s3://bucket or s3://bucket/prefix."""
    scheme, _, rest = root.partition("://")
    return scheme == "s3" and bool(rest.partition("/")[0])


def s3_folder(address: str) -> "S3Folder":
    """The objects below s3://bucket/prefix."""
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    prefix = prefix.strip("/")
    return S3Folder(bucket, f"{prefix}/" if prefix else "")


@dataclass(frozen=True)
class S3Folder:
    """The objects below a prefix, by name.

    Every method raises StorageError when the store does not answer or refuses, and UsageError when there is
    no such bucket.

    Attributes:
        prefix: empty, or ending with a slash.
    """

    bucket: str
    prefix: str = ""

    def address(self, name: str = "") -> str:
        """Where an object lies."""
        return f"s3://{self.bucket}/{self.prefix}{name}"

    def list(self) -> Iterator[S3Object]:
        """All objects below the prefix, by key."""
        with answering("s3.list", self.address()):
            pages = client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
            for page in pages:
                for item in page.get("Contents", ()):
                    name = item["Key"][len(self.prefix) :]
                    yield S3Object(name, item["Size"], item["LastModified"].timestamp())

    def head(self, name: str) -> dict[str, Any]:
        """What the store says of an object: ETag, ContentLength, Metadata.

        Raises:
            MissingObjectError: no such object.
        """
        return dict(self._ask("s3.head", name, "head_object"))

    def may_hold(self, name: str, path: Path) -> bool:
        """Whether an object of this name has the file's content, as far as its checksum tells."""
        try:
            algorithm, wanted = _checksum(self.head(name))
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False))
        except (MissingObjectError, FileNotFoundError):
            return False
        return not wanted or found.hexdigest() == wanted

    def download(self, name: str, path: Path, etag: str | None = None) -> None:
        """Write an object's content to a file; it agrees with its size and its checksum.

        Args:
            etag: of the version that is wanted.

        Raises:
            MissingObjectError: no such object.
            DamagedTransferError: the body was whole and altered at every attempt.
            StorageError: the body broke off, too.
        """
        version = {"IfMatch": etag} if etag else {}
        kind: type[StorageError] = DamagedTransferError
        for _ in range(_BODIES):
            answer = self._ask("s3.get", name, "get_object", **version)
            with path.open("wb") as stream:
                whole, reason = _receive(answer, stream)
            if not reason:
                return
            if not whole:  # which says nothing about the object
                kind = StorageError
        raise kind(
            f"{self.address(name)} arrived damaged from {endpoint()}, {_BODIES} times: {reason}",
            wanted="a body that is whole and agrees with its checksum",
            remedy="run it again; if that fails again, upload the file anew",
        )

    def upload(self, path: Path, name: str) -> bool:
        """Send a file unless an object of this name is there; whether it was sent.

        For names that say the content: on a server without conditional writes, one that another sends at the
        same time is replaced.
        """
        try:
            return self.offer(path, name)
        except NoConditionsError:
            return self._send_if_missing(path, name)

    def offer(self, path: Path, name: str) -> bool:
        """Send a file unless an object of this name is there; whether it was sent. Of several, one sends.

        Raises:
            NoConditionsError: the server cannot promise that.
        """
        metadata = {_SHA256: file_sha256(path)}
        send = self._sender(path)
        for _ in range(ATTEMPTS):
            try:
                send(path, name, Metadata=metadata, IfNoneMatch="*")
            except RefusedError as error:
                if error.code in _IS_THERE:
                    return False
                if error.code in _NO_CONDITIONS:
                    raise self._no_conditions(name, error.code) from error
                if error.code not in _AT_THE_SAME_TIME:
                    raise
                conflict = error  # with another writer, who may yet fail
            else:
                return True
        raise conflict

    def replace(self, path: Path, name: str) -> None:
        """Send a file, in place of an object of this name if one is there."""
        self._sender(path)(path, name, Metadata={_SHA256: file_sha256(path)})

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        self._ask("s3.remove", name, "delete_object")

    def _sender(self, path: Path) -> Callable[..., None]:
        return self._send_parts if path.stat().st_size > _LARGE else self._send_whole

    def _send_if_missing(self, path: Path, name: str) -> bool:
        try:
            self.head(name)
        except MissingObjectError:
            self.replace(path, name)
            return True
        return False

    def _no_conditions(self, name: str, code: str) -> NoConditionsError:
        return NoConditionsError(
            f"{endpoint()} refused to write {self.address(name)} on the condition that it is new: {code}",
            wanted="a server that knows conditional writes (If-None-Match), so that one machine gets a name",
            remedy="update the server, or name a folder or another server's bucket instead",
        )

    def _send_whole(self, path: Path, name: str, **options: Any) -> None:
        checksum = _base64(bytes.fromhex(options["Metadata"][_SHA256]))
        with path.open("rb") as stream:
            self._ask("s3.put", name, "put_object", Body=stream, ChecksumSHA256=checksum, **options)

    def _send_parts(self, path: Path, name: str, Metadata: dict[str, str], **condition: str) -> None:
        create, complete = "create_multipart_upload", "complete_multipart_upload"
        begun = self._ask("s3.put", name, create, Metadata=Metadata, ChecksumAlgorithm="SHA256")
        upload = {"UploadId": begun["UploadId"]}
        try:
            parts = {"Parts": list(self._parts(path, name, upload))}
            self._ask("s3.put", name, complete, MultipartUpload=parts, **upload, **condition)
        except BaseException:
            self._abandon(name, upload)
            raise

    def _parts(self, path: Path, name: str, upload: dict[str, str]) -> Iterator[dict[str, Any]]:
        with path.open("rb") as stream:
            for number, block in enumerate(iter(lambda: stream.read(_PART), b""), start=1):
                part = {"PartNumber": number, "ChecksumSHA256": _base64(hashlib.sha256(block).digest())}
                sent = self._ask("s3.put", name, "upload_part", Body=block, **part, **upload)
                yield {**part, "ETag": sent["ETag"]}

    def _abandon(self, name: str, upload: dict[str, str]) -> None:
        try:
            self._ask("s3.remove", name, "abort_multipart_upload", **upload)
        except (StorageError, BadDataError):  # what went wrong before is what is told
            return

    def _ask(self, operation: str, name: str, request: str, **options: Any) -> Any:
        with answering(operation, self.address(name)):
            return getattr(client(), request)(Bucket=self.bucket, Key=f"{self.prefix}{name}", **options)


def _receive(answer: Any, stream: IO[bytes]) -> tuple[bool, str]:
    """Write a body; whether it came to its end, and what is wrong with it, or nothing."""
    from botocore.exceptions import BotoCoreError

    algorithm, wanted = _checksum(answer)
    found = hashlib.new(algorithm, usedforsecurity=False)
    try:
        for block in answer["Body"].iter_chunks(_BLOCK):
            stream.write(block)
            found.update(block)
    except BotoCoreError as error:
        return False, str(error)
    if wanted and found.hexdigest() != wanted:
        return True, f"its {algorithm} is {found.hexdigest()}, not {wanted}"
    return True, ""


def _checksum(answer: Any) -> tuple[str, str]:
    """The checksum that an object has: our own, or else its ETag where that is an MD5."""
    own = answer.get("Metadata", {}).get(_SHA256)
    if own:
        return "sha256", own
    etag = answer["ETag"].strip('"')
    return "md5", "" if "SSEKMSKeyId" in answer or len(etag) != _MD5_LENGTH else etag


def _base64(checksum: bytes) -> str:
    return b64encode(checksum).decode()
