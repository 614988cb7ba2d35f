"""Typed settings from YAML: frozen dataclasses that refuse strangers."""

import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from components.core.errors import UsageError

Settings = TypeVar("Settings")


def parse(cls: type[Settings], values: Mapping[str, Any] | None, where: str) -> Settings:
    """Build a settings dataclass from a mapping.

    Args:
        cls: a dataclass; fields may be nested dataclasses, Literal, tuple, Optional, dict[str, ...].
        values: what the YAML file says; None is an empty mapping.
        where: the section's path, for messages: "featurize.head_pose".

    Raises:
        UsageError: a key that is unknown or missing, or a value of another type.
    """
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{cls} is no dataclass")
    given = {} if values is None else values
    if not isinstance(given, Mapping):
        raise _wrong(where, given, f"a section with the keys {', '.join(_names(cls))}")
    unknown = [key for key in given if key not in _names(cls)]
    if unknown:
        raise UsageError(
            f"{where}.{unknown[0]} is not known",
            wanted=f"one of {', '.join(_names(cls))}",
            remedy="correct or remove the key in params.yaml",
        )
    hints = get_type_hints(cls)
    arguments = {name: _convert(hints[name], value, f"{where}.{name}") for name, value in given.items()}
    missing = [
        field.name for field in dataclasses.fields(cls) if _is_required(field) and field.name not in given
    ]  # type: ignore[arg-type]
    if missing:
        raise UsageError(
            f"{where}.{missing[0]} is missing", wanted="a value for it", remedy="add the key to params.yaml"
        )
    return cls(**arguments)


def to_dict(settings: Any) -> dict[str, Any]:
    """The settings as plain JSON values."""
    plain: dict[str, Any] = _plain(settings)
    return plain


def check_range(where: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuse a number that is not in [low, high]; NaN is in none.

    Raises:
        UsageError: it is not.
    """
    if not low <= value <= high:
        raise _wrong(where, value, f"{low} or more" if high == math.inf else f"{low} to {high}")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _names(cls: type) -> list[str]:
    return [field.name for field in dataclasses.fields(cls)]


def _is_required(field: dataclasses.Field) -> bool:  # type: ignore[type-arg]
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _convert_union(hint, value, where)
    if origin is Literal:
        return _convert_literal(hint, value, where)
    if origin is tuple:
        return _convert_tuple(hint, value, where)
    if origin is dict:
        return _convert_dict(hint, value, where)
    if dataclasses.is_dataclass(hint):
        return parse(hint, value, where)  # type: ignore[arg-type]
    return _convert_plain(hint, value, where)


def _convert_union(hint: Any, value: Any, where: str) -> Any:
    choices = get_args(hint)
    if value is None and type(None) in choices:
        return None
    choices = tuple(choice for choice in choices if choice is not type(None))
    for choice in choices[:-1]:
        try:
            return _convert(choice, value, where)
        except UsageError:
            continue
    return _convert(choices[-1], value, where)


def _convert_literal(hint: Any, value: Any, where: str) -> Any:
    if value not in get_args(hint):
        raise _wrong(where, value, f"one of {', '.join(map(str, get_args(hint)))}")
    return value


def _convert_tuple(hint: Any, value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _wrong(where, value, "a list")
    kinds = get_args(hint)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _wrong(where, value, f"a list of {len(kinds)}")
    return tuple(
        _convert(kind, item, f"{where}[{k}]") for k, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _convert_dict(hint: Any, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(where, value, "a section")
    kind = get_args(hint)[1]
    switches = [key for key in value if isinstance(key, bool)]
    if switches:
        raise UsageError(
            f"{where} has the key {str(switches[0]).lower()}",
            wanted="names as keys; YAML reads no, off, yes and on as false and true",
            remedy='write such a name in quotes: "no"',
        )
    return {str(key): _convert(kind, item, f"{where}.{key}") for key, item in value.items()}


def _convert_plain(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is float and isinstance(value, str):
        return _float_of_text(value, where)
    if not isinstance(value, hint) or (hint is not bool and isinstance(value, bool)):
        raise _wrong(where, value, f"a value of type {hint.__name__}")
    return value


def _float_of_text(text: str, where: str) -> float:
    """YAML 1.1 reads 1e-3 as text."""
    try:
        return float(text)
    except ValueError:
        raise _wrong(where, text, "a number") from None


def _wrong(where: str, value: Any, wanted: str) -> UsageError:
    return UsageError(f"{where} is {value!r}", wanted=wanted, remedy="correct the value in params.yaml")
