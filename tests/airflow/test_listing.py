"""A watched bucket, listed by Airflow's own client."""

import boto3
import pytest
from tailwatch_dags.listing import list_place

from . import servers
from .environment import BUCKET, KEYS, ML

PAGE = 1000  # objects


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """One object more than a page holds below a prefix, and one beside it."""
    server, address = servers.s3(tmp_path_factory.mktemp("bucket"), ML)
    server.start()
    server.wait()
    environ = {**KEYS, "AWS_ENDPOINT_URL": address, "NO_PROXY": servers.HOST}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        made = boto3.resource("s3").Bucket(BUCKET)
        made.create()
        for name in ("clips-of-another/x.mp4", *(f"clips/{k} ä.mp4" for k in range(PAGE + 1))):
            made.put_object(Key=name, Body=b"film")
        yield made
    server.stop()


@pytest.mark.parametrize(
    ("place", "files"),
    [
        pytest.param(f"s3://{BUCKET}/clips", PAGE + 1, id="prefix"),
        pytest.param(f"s3://{BUCKET}/clips/", PAGE + 1, id="prefix with its slash"),
        pytest.param(f"s3://{BUCKET}", PAGE + 2, id="whole bucket"),
    ],
)
def test_all_pages_are_seen(place, files, bucket):
    found = list_place(place)
    assert found.files == files
    bucket.put_object(Key=f"clips/{PAGE} ä.mp4", Body=b"another film")  # on the last page
    changed = list_place(place)
    assert (changed.files, changed.digest != found.digest) == (files, True)
    assert changed.newest >= found.newest
    bucket.put_object(Key=f"clips/{PAGE} ä.mp4", Body=b"film")
