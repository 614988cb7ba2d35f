"""An S3 server for the tests that need one."""

from collections.abc import Iterator

import boto3
import pytest

from tests.integration.s3_server import Proxy

BUCKET = "team"


@pytest.fixture
def proxy(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A way to an empty bucket, whole as long as no fault is put on it; clients wait for seconds only."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
        "TAILWATCH_S3_PATIENCE_S": "3",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = boto3.resource("s3", endpoint_url=s3_url).Bucket(BUCKET)
    bucket.create()
    proxy = Proxy(s3_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield proxy
    proxy.close()
    bucket.objects.delete()
    bucket.delete()
