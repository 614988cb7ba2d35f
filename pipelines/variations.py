"""Variations of one model: settings and their values, as a command line has them, and every combination."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import yaml

from components.core.errors import UsageError
from pipelines.params import Params
from pipelines.params_check import check_params

SHARE = "share"
SEED = "train.seed"
NOT_VARIED = ("view", "runs_on")


@dataclass(frozen=True)
class Variation:
    """One combination.

    Attributes:
        settings: what it differs by, as text by name, in the order asked for.
        params: the project's, with the model's settings changed.
        share: of the train side's source groups that is learned from.
    """

    settings: Mapping[str, str]
    params: Params
    share: float = 1.0


def read_variations(params: Params, model_id: str, over: Sequence[str]) -> list[Variation]:
    """Every combination of the values asked for, all checked.

    Args:
        over: `name=value,value`; a name is a setting of the model, of its `train` section, or `share`; values
            are YAML.

    Raises:
        UsageError: the model is not enabled, or a setting or value does not fit it.
    """
    params.model(model_id)
    fixed = SEED if params.protocol.kind == "kfold" else None
    asked: dict[str, list[Any]] = {}
    for text in over:
        name, values = _read(text)
        if name == fixed:
            raise _wrong(text, "another setting: folds have the seeds of protocol.seeds", "change them there")
        if name in asked:
            raise _wrong(text, f"{name} once", "name all of its values in one --over")
        asked[name] = values
    if not asked:
        raise UsageError(
            "There is nothing to vary", wanted="a setting", remedy="add --over initializer=glorot_uniform,..."
        )
    return [
        _variation(params, model_id, dict(zip(asked, values, strict=True)))
        for values in product(*asked.values())
    ]


def _variation(params: Params, model_id: str, chosen: dict[str, Any]) -> Variation:
    shown = {name: value if isinstance(value, str) else json.dumps(value) for name, value in chosen.items()}
    share = chosen.pop(SHARE, 1.0)
    given = dict(params.models[model_id])
    for name, value in chosen.items():
        given = _with(given, name.split("."), value)
    return Variation(shown, check_params(replace(params, models={**params.models, model_id: given})), share)


def _with(section: Any, path: list[str], value: Any) -> dict[str, Any]:
    """A section in which one value is another."""
    name, *rest = path
    own = dict(section) if isinstance(section, Mapping) else {}
    return {**own, name: _with(own.get(name), rest, value) if rest else value}


def _read(text: str) -> tuple[str, list[Any]]:
    name, _, listed = text.partition("=")
    try:
        values = yaml.safe_load(f"[{listed}]")
    except yaml.YAMLError:
        values = None
    if not name or not isinstance(values, list) or not values:
        raise _wrong(text, "name=value,value", "see `tailwatch vary --help`")
    if name in NOT_VARIED:
        raise _wrong(text, "a setting of the model or of its training", f"change {name} in params.yaml")
    if any(value in values[:k] for k, value in enumerate(values)):
        raise _wrong(text, "different values", "remove the double one")
    if name == SHARE:
        for value in values:
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
                raise _wrong(text, "shares above 0 and up to 1", "correct them")
    return name, values


def _wrong(text: str, wanted: str, remedy: str) -> UsageError:
    return UsageError(f"--over {text}", wanted=wanted, remedy=remedy)
