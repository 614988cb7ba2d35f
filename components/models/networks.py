"""Keras networks of definitions: built, their weights by layer path, and asked batch by batch."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core.errors import BadDataError, UsageError
from components.models.base import InputShapes, KerasDefinition
from components.models.library import start_tensorflow

if TYPE_CHECKING:
    import keras

Logits = Callable[[Mapping[str, np.ndarray]], np.ndarray]


def build_network(
    model_id: str, definition: KerasDefinition, settings: Any, shapes: InputShapes, n_classes: int
) -> "keras.Model":
    """The network, its weights at random.

    Raises:
        UsageError: settings and shapes do not give a network.
    """
    start_tensorflow()
    try:
        network = definition.build(settings, shapes, n_classes)
    except ValueError as error:
        raise UsageError(
            f"Model `{model_id}` cannot be built for {shapes}: {str(error).splitlines()[0]}",
            wanted="settings and a view that fit each other",
            remedy=f"correct models.{model_id} or its view in params.yaml",
        ) from error
    paths = [weight.path for weight in network.weights]
    if len(set(paths)) < len(paths):
        raise ValueError(f"{model_id} has two weights of one path: name its layers")
    return network


def weights_of(network: "keras.Model") -> dict[str, np.ndarray]:
    """All weights by layer path: "convlstm_1/conv_lstm_cell/kernel"."""
    return {weight.path: np.asarray(weight.numpy(), np.float32) for weight in network.weights}


def put_weights(network: "keras.Model", arrays: Mapping[str, np.ndarray]) -> None:
    """Put weights by layer path into a network.

    Raises:
        BadDataError: a weight that is missing, too many, or of another shape.
    """
    wanted = {weight.path: tuple(weight.shape) for weight in network.weights}
    found = {path: tuple(array.shape) for path, array in arrays.items()}
    wrong = sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path))
    if wrong:
        raise BadDataError(
            f"The weight {wrong[0]} has the shape {found.get(wrong[0], 'of a weight that is missing')}",
            wanted=f"{wanted.get(wrong[0], 'no such weight')}",
            remedy="train the model again: `dvc repro`",
        )
    for weight in network.weights:
        weight.assign(arrays[weight.path])


def logits_of(network: "keras.Model") -> Logits:
    """A compiled function of inputs by stream (N, ...) to logits (N, 1 or K) float32; traced once."""
    import tensorflow as tf

    signature = {
        tensor.name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype, name=tensor.name)
        for tensor in network.inputs
    }
    ask = traced(lambda inputs: network(as_inputs(network, inputs), training=False), signature)
    return lambda inputs: np.asarray(ask({name: inputs[name] for name in signature}).numpy())


def traced(function: Callable[..., Any], *signature: Any) -> Callable[..., Any]:
    """A function of tensors compiled for one signature, traced now and never again.

    TensorFlow takes functions of one place in the code for one function, and would warn that it is traced
    anew with every network; who calls the trace itself is not counted.
    """
    import tensorflow as tf

    compiled: Callable[..., Any] = tf.function(function, input_signature=signature).get_concrete_function()
    return compiled


def as_inputs(network: "keras.Model", inputs: Mapping[str, Any]) -> Any:
    """Inputs by stream, as this network takes them: one tensor, or a dictionary of several."""
    return dict(inputs) if isinstance(network.input, dict) else inputs[network.inputs[0].name]
