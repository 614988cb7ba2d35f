"""What the registered model takes."""

import base64

import pandas as pd
import pytest

from components.core.errors import BadDataError
from components.serving.pyfunc_model import videos


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param(["a.mp4", b"12"], ["a.mp4", b"12"], id="list"),
        pytest.param("a.mp4", ["a.mp4"], id="one path"),
        pytest.param(bytearray(b"12"), [b"12"], id="one file's bytes"),
        pytest.param(pd.DataFrame({"video": ["a.mp4", "b.mp4"]}), ["a.mp4", "b.mp4"], id="table of paths"),
        pytest.param(
            pd.DataFrame({"video": ["a.mp4", None], "content": [None, b"12"]}),
            ["a.mp4", b"12"],
            id="either column",
        ),
        pytest.param(["data:video/mp4;base64," + base64.b64encode(b"12").decode()], [b"12"], id="data URI"),
    ],
)
def test_videos(given, wanted):
    assert list(videos(given)) == wanted


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(pd.DataFrame({"video": [None]}), id="nothing in the row"),
        pytest.param(pd.DataFrame({"a": ["a.mp4"], "b": ["b.mp4"]}), id="two in the row"),
        pytest.param([7], id="a number"),
        pytest.param([["a.mp4"]], id="a list in the list"),
    ],
)
def test_rows_without_exactly_one_video_are_refused(given):
    with pytest.raises(BadDataError, match=r"Row 0 holds .* one path, or one file's bytes"):
        list(videos(given))
