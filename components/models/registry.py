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
        "tailwatch_net": "components.models.tailwatch_net:MODEL",
        "stae": "components.models.stae:MODEL",
        "conv_autoencoder": "components.models.conv_autoencoder:MODEL",
        "mil_ranking": "components.models.mil_ranking:MODEL",
        "one_class_svm": "components.models.one_class_svm:MODEL",
        "convlstm64": "components.models.convlstm64:MODEL",
        "resnet_convgru": "components.models.resnet_convgru:MODEL",
        "resnet_convlstm": "components.models.resnet_convlstm:MODEL",
        "c3d": "components.models.c3d:MODEL",
        "cnn_lstm": "components.models.cnn_lstm:MODEL",
        "lrcn": "components.models.lrcn:MODEL",
        "mobilenet_lstm": "components.models.mobilenet_lstm:PLAIN",
        "mobilenet_bilstm": "components.models.mobilenet_lstm:BOTH_DIRECTIONS",
        "mobilenet_reslstm": "components.models.mobilenet_lstm:RESIDUAL",
        "frame_vgg19": "components.models.frame_classifiers:VGG19",
        "frame_inception_v3": "components.models.frame_classifiers:INCEPTION_V3",
        "frame_resnet50_v2": "components.models.frame_classifiers:RESNET50_V2",
        "inception_rule": "components.models.inception_rule:MODEL",
        "cnn3d_lstm": "components.models.cnn3d_lstm:MODEL",
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
    settings = definition.settings()
    return {
        "model": model_id,
        "title": definition.title,
        "kind": definition.kind,
        "looks_at": " + ".join(definition.streams) or "labels",
        "frames": _size(definition.paper_shapes.frames) if "frames" in definition.streams else "",
        "parameters": definition.parameters,
        "weights": str(getattr(settings, "weights", "none")),
        "file": getattr(settings, "published_file", ""),
        "source": definition.source,
    }


def _size(frames: tuple[int, ...] | None) -> str:
    """What the paper showed it of a clip: "20 x 64 x 64"."""
    return " x ".join(str(side) for side in (frames or ())[:3])
