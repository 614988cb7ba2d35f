"""`foreach` and `matrix`: which items a stage of dvc.yaml stands for, named as DVC names them."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from tailwatch_dags.errors import GraphError
from tailwatch_dags.interpolation import resolve

Named = tuple[str, dict[str, Any], Mapping[str, Any]]

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_NUMBER = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+|0o[0-7]+")  # to DVC (YAML 1.2), a text to PyYAML


def items(stage: str, body: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Named]:
    """Name, known values and template of every stage that an entry of dvc.yaml stands for.

    Raises:
        GraphError: a form of fan-out that is not supported, or an item whose name no task can carry.
    """
    if not isinstance(body, Mapping):
        raise GraphError(stage, f"it is a {type(body).__name__}", "a mapping with cmd, deps, outs, meta")
    if "foreach" in body:
        found = _foreach(stage, body, params)
    elif "matrix" in body:
        found = _matrix(stage, body, params)
    else:
        yield _checked(stage, stage), dict(params), body
        return
    for item, known, template in found:
        yield f"{_checked(stage, stage)}@{_checked(item, f'{stage}@{item}')}", {**params, **known}, template


def _foreach(stage: str, body: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Named]:
    if set(body) != {"foreach", "do"} or not isinstance(body["do"], Mapping):
        raise GraphError(stage, f"foreach stands with {sorted(set(body) - {'foreach'})}", "foreach with do")
    over = resolve(body["foreach"], params, stage)
    if isinstance(over, Mapping):
        for key, item in over.items():
            _refuse_ambiguous(stage, key)
            yield str(key), {"key": str(key), "item": item}, body["do"]
    elif isinstance(over, list):
        composite = any(isinstance(item, Mapping | list) for item in over)
        for number, item in enumerate(over):
            if not composite:
                _refuse_ambiguous(stage, item)
            yield str(number if composite else item), {"item": item}, body["do"]
    else:
        raise GraphError(stage, f"foreach goes over a {type(over).__name__}", "a list or a mapping")


def _matrix(stage: str, body: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Named]:
    axes = resolve(body["matrix"], params, stage)
    simple = isinstance(body["matrix"], Mapping) and all(
        isinstance(axis, list) and not any(isinstance(value, Mapping | list) for value in axis)
        for axis in axes.values()
    )
    if not simple:
        raise GraphError(stage, "its matrix is of another form", "matrix: {name: list of plain values}")
    for value in (value for axis in axes.values() for value in axis):
        _refuse_ambiguous(stage, value)
    template = {name: value for name, value in body.items() if name != "matrix"}
    for values in product(*axes.values()):
        key = "-".join(str(value) for value in values)
        yield key, {"key": key, "item": dict(zip(axes, values, strict=True))}, template


def _refuse_ambiguous(stage: str, item: Any) -> None:
    """Refuse what DVC may read, and so name, otherwise: `on` is a text to it, `1e3` a number."""
    if type(item) not in (str, int) or (isinstance(item, str) and _NUMBER.fullmatch(item)):
        raise GraphError(stage, f"the item {item!r} is no plain name", "text (in quotes) or whole numbers")


def _checked(name: str, stage: str) -> str:
    if not _NAME.fullmatch(name):
        raise GraphError(stage, f"the name {name!r} cannot be a task's", "letters, digits, _ and -")
    return name
