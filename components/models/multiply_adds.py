"""Multiply-adds of a model: one product of an input with a weight, and its addition, counts once.

Counted are the products with kernels, which are nearly all of them. Biases, activations, normalisation,
pooling and the gates' own products are not. Published "FLOPs" are sometimes this, sometimes twice this.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

Shape = Sequence[int]


def of_matrices(arrays: Mapping[str, np.ndarray]) -> int:
    """Those of a model in closed form, at least: each matrix that it learned counts once a clip.

    What it multiplies more often, as with every window, is not seen here.
    """
    return sum(array.size for array in arrays.values() if array.ndim > 1)


def of_network(network: "keras.Model", batch: int = 1) -> int | None:
    """Those of a network for so many of its inputs, counted layer by layer as the layers are called.

    Returns:
        None when a layer has a kernel and is of no kind that is known here.

    Example: frames (128, 128, 3) through Conv2D(8, 3, padding="same") -> 128 * 128 * 8 * 3 * 3 * 3.
    """
    import keras

    counts: list[int | None] = []

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        found = layer(*args, **kwargs)
        if getattr(layer, "weights", None):
            counts.append(_of_layer(layer, args[0].shape, found.shape))
        return found

    inputs = keras.tree.map_structure(
        lambda tensor: keras.Input(
            batch_shape=(batch, *tensor.shape[1:]), dtype=tensor.dtype, name=tensor.name
        ),
        network.input,
    )
    keras.models.clone_model(
        network, input_tensors=inputs, clone_function=lambda layer: layer, call_function=call
    )
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _of_layer(layer: Any, given: Shape, found: Shape) -> int | None:
    """Those of one call of a layer with weights, by the shapes of its input and output, with the batch."""
    import keras
    from keras import layers

    if isinstance(layer, keras.Model):
        return of_network(layer, given[0])
    if isinstance(layer, layers.Bidirectional):
        both = [_of_layer(part, given, found) for part in (layer.forward_layer, layer.backward_layer)]
        return sum(part or 0 for part in both)
    if isinstance(layer, layers.Dense | layers.Conv1D | layers.Conv2D | layers.Conv3D):
        return prod(found) * prod(layer.kernel.shape[:-1])
    if isinstance(layer, layers.DepthwiseConv2D):
        return prod(found[:-1]) * prod(layer.kernel.shape)
    if isinstance(layer, layers.Conv2DTranspose):
        return prod(given[:-1]) * prod(layer.kernel.shape)
    if isinstance(layer, layers.LSTM | layers.GRU | layers.ConvLSTM2D):
        cell, places = layer.cell, prod(found[-3:-1]) if isinstance(layer, layers.ConvLSTM2D) else 1
        return prod(given[:2]) * places * (prod(cell.kernel.shape) + prod(cell.recurrent_kernel.shape))
    if type(layer).__name__ == "ConvGRU2D":  # ours; its first step has no state to convolve
        kernel, recurrent = prod(layer.kernel.shape), prod(layer.recurrent_kernel.shape)
        return given[0] * prod(found[-3:-1]) * (given[1] * kernel + (given[1] - 1) * recurrent)
    return None if any(len(weight.shape) > 1 for weight in layer.weights) else 0
