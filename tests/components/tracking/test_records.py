"""Keys and flat parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.tracking.records import Point, RunRecord, content_digest, flatten, run_key

VALUES = st.recursive(
    st.integers() | st.text(max_size=5), lambda inner: st.dictionaries(st.text(max_size=5), inner, max_size=4)
)


@pytest.mark.parametrize(
    ("values", "flat"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param(
            {"b": 2, "a": {"y": [1, 2], "x": None}}, {"a.x": "None", "a.y": "[1, 2]", "b": "2"}, id="nested"
        ),
        pytest.param({"a": {}}, {"a": "{}"}, id="empty section stays"),
        pytest.param({"a": "x" * 7000}, {"a": "x" * 6000}, id="cut at MLflow's longest"),
    ],
)
def test_flatten(values, flat):
    assert flatten(values) == flat


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_key_knows_no_order(causes):
    assert run_key("train@a", causes) == run_key("train@a", dict(reversed(causes.items())))
    assert run_key("train@a", causes) != run_key("train@b", causes)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(RunRecord("train@a", "k", params={"a": 2}), id="a parameter"),
        pytest.param(RunRecord("train@a", "k", params={"a": 1}, metrics=[Point("loss", 0.5)]), id="a metric"),
        pytest.param(RunRecord("train@a", "k", params={"a": 1}, tags={"t": "1"}), id="a tag"),
        pytest.param(RunRecord("train@a", "k", params={"a": 1}, artifacts={"a.png": b"1"}), id="an artefact"),
    ],
)
def test_content_digest_sees_every_difference(other):
    assert content_digest(RunRecord("train@a", "k", params={"a": 1})) != content_digest(other)
