"""A network with a frozen backbone in two parts: the lower, which never learns, and the head above it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core.code import code_digest
from components.core.files import file_sha256
from components.models.backbones import FEATURES
from components.models.networks import weights_of
from components.models.pretrained import Pretrained, find_weights

if TYPE_CHECKING:
    import keras

FRAMES = "frames"


@dataclass(frozen=True)
class Lower:
    """The lower part of a network, which is built when it is first asked for.

    Attributes:
        identity: what decides the features of given frames, as plain JSON values.
        digests: of its file of weights, by name.
        whole: builds the whole network, with these weights.
    """

    identity: dict[str, Any]
    digests: dict[str, str]
    whole: "Callable[[], keras.Model]"

    @cached_property
    def network(self) -> "keras.Model":
        """Frames, as the whole network takes them, to features."""
        return lower_of(self.whole())

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """All weights by layer path."""
        return weights_of(self.network)


def find_lower(pretrained: Pretrained, frame: tuple[int, ...], whole: "Callable[[], keras.Model]") -> Lower:
    """The lower part of a network on frames (H, W, 3), not built yet.

    Raises:
        UsageError, StorageError, BadDataError: as of `find_weights`.
    """
    path = find_weights(pretrained.file, pretrained.imagenet)
    digests = {path.name: file_sha256(path)}
    identity = {
        "name": pretrained.name,
        "input": list(frame),
        "weights": digests[path.name],
        "code": code_digest(*pretrained.code),
    }
    return Lower(identity, digests, whole)


def lower_of(network: "keras.Model") -> "keras.Model":
    """What lies below a network's layer `features`, which shares its variables.

    Raises:
        ValueError: something there learns, which is a fault of the definition.
    """
    import keras

    (frames,) = [tensor for tensor in network.inputs if tensor.name == FRAMES]
    lower = keras.Model(frames, network.get_layer(FEATURES).output, name=f"{network.name}_lower")
    if lower.trainable_variables:
        raise ValueError(f"{network.name} learns below its features")
    return lower


def head_of(network: "keras.Model") -> "keras.Model":
    """What lies above: features, under this name, and the network's other inputs to logits."""
    import keras
    from keras import layers

    features = network.get_layer(FEATURES).output
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
