"""The models by id."""

from collections.abc import Mapping
from typing import Any

from components.core.registry import Registry
from components.core.settings import parse
from components.models.base import Definition

MODELS = Registry(
    "model",
    {
        "majority": "components.models.majority:MODEL",
        "logistic": "components.models.logistic:MODEL",
        "vgg16": "components.models.vgg16:MODEL",
        "vgg16_mlp": "components.models.vgg16_mlp:MODEL",
        "convlstm": "components.models.convlstm:MODEL",
        "fusion": "components.models.fusion:MODEL",
    },
)


def definition_of(model_id: str) -> Definition:
    """The definition of a model.

    Raises:
        UsageError: no model has this id.
    """
    definition: Definition = MODELS.get(model_id)
    return definition


def model_settings(model_id: str, given: Mapping[str, Any]) -> Any:
    """A model's hyper-parameters, checked.

    Args:
        given: what stands under models.<id> in params.yaml, without `view`, `runs_on` and `train`.

    Raises:
        UsageError: no such model, or a setting that does not fit it.
    """
    return parse(definition_of(model_id).settings, given, f"models.{model_id}")


def describe_models() -> list[dict[str, Any]]:
    """What there is, one row per model, for people and machines."""
    return [_describe(model_id, definition_of(model_id)) for model_id in MODELS.names()]


def _describe(model_id: str, definition: Definition) -> dict[str, Any]:
    return {
        "model": model_id,
        "title": definition.title,
        "kind": definition.kind,
        "looks_at": " + ".join(definition.streams) or "labels",
        "parameters": definition.parameters,
        "weights": str(getattr(definition.settings(), "weights", "none")),
        "source": definition.source,
    }
