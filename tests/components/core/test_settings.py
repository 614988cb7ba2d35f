from dataclasses import dataclass, field
from typing import Literal

import pytest

from components.core.errors import UsageError
from components.core.settings import parse, to_dict


@dataclass(frozen=True)
class Inner:
    side: int | None = None
    rate: float = 1.0


@dataclass(frozen=True)
class Outer:
    name: str
    kind: Literal["a", "b"] = "a"
    units: tuple[int, ...] = (64, 16)
    inner: Inner = field(default_factory=Inner)
    by_name: dict[str, Inner] = field(default_factory=dict)
    strict: bool = False


def test_everything_given_arrives_typed():
    values = {
        "name": "x",
        "kind": "b",
        "units": [1, 2],
        "inner": {"rate": "1e-3"},
        "by_name": {"p": {"side": 4}},
    }
    assert parse(Outer, values, "s") == Outer("x", "b", (1, 2), Inner(rate=0.001), {"p": Inner(side=4)})


def test_to_dict_and_back():
    settings = Outer("x", by_name={"p": Inner(3, 2.0)})
    assert parse(Outer, to_dict(settings), "s") == settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"nmae": "x"}, r"s\.nmae is not known.*one of name, kind", id="unknown key"),
        pytest.param({}, r"s\.name is missing", id="missing key"),
        pytest.param({"name": 3}, r"s\.name is 3.*type str", id="wrong type"),
        pytest.param({"name": "x", "kind": "c"}, r"s\.kind is 'c'.*one of a, b", id="not a choice"),
        pytest.param(
            {"name": "x", "inner": {"size": 3}}, r"s\.inner\.size is not known", id="nested unknown"
        ),
        pytest.param({"name": "x", "inner": {"side": 1.5}}, r"s\.inner\.side is 1\.5", id="float for int"),
        pytest.param({"name": "x", "inner": {"side": True}}, r"s\.inner\.side is True", id="bool for int"),
        pytest.param({"name": "x", "units": 3}, r"s\.units is 3.*a list", id="not a list"),
        pytest.param({"name": "x", "units": [1, "b"]}, r"s\.units\[1\] is 'b'", id="wrong element"),
        pytest.param({"name": "x", "inner": [1]}, r"s\.inner is \[1\].*a section", id="not a section"),
        pytest.param(
            {"name": "x", "inner": {"rate": "fast"}},
            r"s\.inner\.rate is 'fast'.*a number",
            id="text for number",
        ),
    ],
)
def test_strangers_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        parse(Outer, values, "s")
