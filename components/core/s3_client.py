"""The client that object stores are asked with, and the errors that their answers become.

Endpoint and keys are those of every AWS client: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, ... How long a store may
stay without an answer is TAILWATCH_S3_PATIENCE_S seconds, by default two minutes, over all attempts.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from components.core import system
from components.core.errors import BadDataError, StorageError, TailwatchError, UsageError
from components.core.patience import patience_s

PATIENCE_VARIABLE = "TAILWATCH_S3_PATIENCE_S"
ATTEMPTS = 4  # of a request, with growing pauses between them
_PATIENCE_S = 120.0
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")  # the first that is set counts
_MISSING = {"404", "NoSuchKey"}


class MissingObjectError(BadDataError):
    """No such object in the bucket."""


class RefusedError(StorageError):
    """The server answered that it will not, under a code that a caller may know what to do about."""

    code = ""


def client() -> Any:
    """The client of this process: its connections must not be shared with one that was forked from it.

    Raises:
        UsageError: the server's address is none.
    """
    return _client_of(os.getpid(), endpoint(), patience_s(PATIENCE_VARIABLE, _PATIENCE_S))


@cache
def _client_of(process: int, server: str, patience: float) -> Any:  # noqa: ARG001
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    silence_s = patience / (ATTEMPTS + 2)  # what is left of the patience goes into the pauses
    retries: Any = {"mode": "adaptive", "total_max_attempts": ATTEMPTS}
    config = Config(connect_timeout=silence_s / 4, read_timeout=silence_s, retries=retries)
    try:
        return boto3.client("s3", config=config)
    except BotoCoreError:
        raise
    except ValueError as error:
        raise _no_address(server) from error


def endpoint() -> str:
    """The server that is asked, for people."""
    return next((os.environ[name] for name in _ENDPOINT_VARIABLES if os.environ.get(name)), "AWS")


@contextmanager
def answering(operation: str, where: str) -> Iterator[None]:
    """Count a request, and turn what goes wrong on the way into our own errors.

    Args:
        operation: its name for fault injection, like `s3.get`.
        where: the object's address, for people.

    Raises:
        MissingObjectError: no such object.
        UsageError: no such bucket.
        StorageError: no answer, or a refusal.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    _reach(operation, where)
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise _refusal(where, code, str(error)) from error
    except BotoCoreError as error:
        raise _unreachable(StorageError, where, str(error)) from error


def _no_address(server: str) -> UsageError:
    variable = next((name for name in _ENDPOINT_VARIABLES if os.environ.get(name)), "")
    return UsageError(
        f"{variable} is {server}" if variable else "The endpoint_url of the AWS configuration is no address",
        wanted="an address with its scheme, such as http://minio:9000",
        remedy="correct it",
    )


def _reach(operation: str, where: str) -> None:
    try:
        system.reach(operation, where)
    except OSError as error:
        raise _unreachable(StorageError, where, str(error)) from error


def _refusal(where: str, code: str, reason: str) -> TailwatchError:
    if code in _MISSING:
        return MissingObjectError(
            f"{where} is not there",
            wanted="an object of this name",
            remedy="correct the address, or upload the file",
        )
    if code == "NoSuchBucket":
        return UsageError(
            f"{where} lies in a bucket that {endpoint()} does not have",
            wanted="a bucket that exists",
            remedy="correct the address in params.yaml, or create the bucket",
        )
    refused = _unreachable(RefusedError, where, reason)
    refused.code = code
    return refused


def _unreachable(kind: Any, where: str, reason: str) -> Any:
    return kind(
        f"{where} could not be reached at {endpoint()}: {reason.rstrip('.')}",
        wanted="an object store that answers, and keys that it accepts",
        remedy="check AWS_ENDPOINT_URL and the AWS keys, then run it again: what was done is kept",
    )
