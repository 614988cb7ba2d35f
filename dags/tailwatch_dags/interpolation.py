"""`${...}` in dvc.yaml, as far as this project uses it: a dotted path into params.yaml, `item` or `key`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tailwatch_dags.errors import GraphError

_MARK = re.compile(r"\$\{([^{}]*)\}")
_PATH = re.compile(r"[^.\[\]\s{}]+(?:\.[^.\[\]\s{}]+|\[[^.\[\]\s{}]+\])*")
WANTED = "${name.name} or ${name[0]} of params.yaml, ${item...} or ${key}"


def resolve(value: Any, known: Mapping[str, Any], stage: str) -> Any:
    """A value of dvc.yaml with every mark replaced; a mark that stands alone keeps its value's type.

    Raises:
        GraphError: another form, or a name that params.yaml has not.
    """
    if isinstance(value, str):
        return _text(value, known, stage)
    if isinstance(value, Mapping):
        return {resolve(key, known, stage): resolve(item, known, stage) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [resolve(item, known, stage) for item in value]
    return value


def _text(text: str, known: Mapping[str, Any], stage: str) -> Any:
    if "${" not in text:
        return text
    if text.count("${") != len(_MARK.findall(text)) or "\\${" in text:
        raise GraphError(stage, f"{text!r} is no form of interpolation that is supported", WANTED)
    alone = _MARK.fullmatch(text)
    if alone:
        return _look_up(alone[1], known, stage)
    return _MARK.sub(lambda mark: _as_text(_look_up(mark[1], known, stage), mark[0], stage), text)


def _look_up(path: str, known: Mapping[str, Any], stage: str) -> Any:
    path = path.strip()
    if not _PATH.fullmatch(path):
        raise GraphError(stage, f"${{{path}}} is no form of interpolation that is supported", WANTED)
    found: Any = known
    for name in path.replace("[", ".").replace("]", "").split("."):
        try:
            found = found[int(name)] if isinstance(found, list) else found[name]
        except (KeyError, IndexError, TypeError, ValueError):
            raise GraphError(stage, f"${{{path}}} is not in params.yaml", WANTED) from None
    return found


def _as_text(value: Any, mark: str, stage: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise GraphError(stage, f"{mark} is a {type(value).__name__} inside a text", "a text or a number")
