import pickle

import pytest

from components.core import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        pytest.param(errors.UsageError, 2, id="usage"),
        pytest.param(errors.BadDataError, 3, id="bad data"),
        pytest.param(errors.StorageError, 4, id="storage"),
        pytest.param(errors.ResourceError, 5, id="resource"),
        pytest.param(errors.FinalError, 42, id="final"),
    ],
)
def test_each_kind_has_its_exit_code_and_says_three_things(kind, code):
    error = kind("It is empty", wanted="a video", remedy="replace it")
    assert error.exit_code == code
    assert str(error) == "It is empty. Wanted: a video. To do: replace it."


def test_an_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(errors.BadDataError("a", wanted="b", remedy="c")))  # noqa: S301
    assert (type(error), error.came, error.wanted, error.remedy) == (errors.BadDataError, "a", "b", "c")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("http://jane:s3cret@mlflow:5000/api", "http://mlflow:5000/api", id="user and password"),
        pytest.param("https://t0ken@host/a.git", "https://host/a.git", id="token"),
        pytest.param("http://jane:s3@cret@mlflow", "http://mlflow", id="a password with an @"),
        pytest.param("postgresql://jane:s3/cret@db/runs", "postgresql://db/runs", id="and with a slash"),
        pytest.param("no s3://jane:a@b, no s3://jane:c@d", "no s3://b, no s3://d", id="two in a text"),
        pytest.param("s3://films/jane@home/a.mp4", "s3://films/jane@home/a.mp4", id="a name with an @"),
        pytest.param("http://minio:9000/train@fusion", "http://minio:9000/train@fusion", id="a port"),
        pytest.param("http://a:1@minio:9000/train@fusion", "http://minio:9000/train@fusion", id="both"),
        pytest.param("git@host:team/a.git", "git@host:team/a.git", id="no password"),
    ],
)
def test_no_error_shows_what_an_address_hides(text, shown):
    assert errors.without_secret(text) == shown
    error = errors.StorageError(f"{text} is away", wanted=f"{text} here", remedy=f"start {text}")
    assert str(error) == f"{shown} is away. Wanted: {shown} here. To do: start {shown}."
    assert error.args == (error.came, error.wanted, error.remedy)
