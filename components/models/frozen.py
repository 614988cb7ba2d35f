"""A network with a frozen backbone in two parts: the lower, which never learns, and the head above it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core.code import code_digest
from components.core.files import array_digest
from components.models.backbones import BACKBONE, FEATURES

if TYPE_CHECKING:
    import keras

FRAMES = "frames"
# What says what lies below the features: of backbones that Keras builds, and of the one built here.
PUBLISHED = ("components.models.backbones", "components.models.folding")
OURS = ("components.models.vgg16",)


@dataclass(frozen=True)
class Divided:
    """The parts of a network, which share its variables.

    Attributes:
        lower: frames, as the network takes them, to features.
        head: features, under this name, and the network's other inputs to logits.
        identity: what decides the features of given frames, as plain JSON values.
    """

    lower: "keras.Model"
    head: "keras.Model"
    identity: dict[str, Any]


def divide(network: "keras.Model") -> Divided:
    """Cut a network at its layer `features`.

    Raises:
        ValueError: something before it learns, which is a fault of the definition.
    """
    import keras

    features = network.get_layer(FEATURES).output
    (frames,) = [tensor for tensor in network.inputs if tensor.name == FRAMES]
    lower = keras.Model(frames, features, name=f"{network.name}_lower")
    if lower.trainable_variables:
        raise ValueError(f"{network.name} learns below its features")
    return Divided(lower, _head(network, features), _identity(lower))


def _head(network: "keras.Model", features: "keras.KerasTensor") -> "keras.Model":
    import keras
    from keras import layers

    others = [tensor for tensor in network.inputs if tensor.name != FRAMES]
    above = keras.Model([features, *others], network.output)
    inputs = [
        layers.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
        for tensor, name in zip(
            [features, *others], [FEATURES, *(tensor.name for tensor in others)], strict=True
        )
    ]
    # Every layer stands for itself, so nothing is copied: the graph alone is new.
    again = keras.models.clone_model(above, input_tensors=inputs, clone_function=lambda layer: layer)
    named = {tensor.name: tensor for tensor in inputs} if others else inputs[0]
    return keras.Model(named, again.output, name=network.name)


def _identity(lower: "keras.Model") -> dict[str, Any]:
    weights = [np.asarray(weight) for weight in lower.weights]
    is_published = any(layer.name == BACKBONE for layer in lower.layers)
    return {
        "layers": _anatomy(lower),
        "input": list(lower.input.shape[-3:]),  # (H, W, 3): of frames as of clips
        "weights": array_digest(*weights),
        "code": code_digest(*(PUBLISHED if is_published else OURS)),
    }


def _anatomy(network: "keras.Model") -> list[Any]:
    """Class and name of every layer with weights, inner networks by theirs."""
    return [
        [layer.name, _anatomy(layer) if hasattr(layer, "layers") else type(layer).__name__]
        for layer in network.layers
        if layer.weights
    ]
