"""Weights of a Keras network in an .h5 file, as arrays by layer; nothing in the file is executed."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core.errors import BadDataError

if TYPE_CHECKING:
    import h5py
    import keras


def read_layers(path: Path, layers: Sequence["keras.layers.Layer"]) -> list[list[np.ndarray]]:
    """The arrays of these layers, in their order.

    Files as Keras publishes them tell their layers in the network's order, and are read by it, because names
    in them differ between versions of Keras; files of Keras 3 count the layers of each class; a file that
    tells no order is read by name.

    Args:
        layers: all those with weights, in the network's order.

    Raises:
        BadDataError: the file is another network's, or none at all.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            values = _values(file.get("model_weights", file), layers)
    except (OSError, KeyError, AttributeError) as error:
        raise _wrong(path, f"it cannot be read: {error}") from error
    if len(values) != len(layers):
        raise _wrong(path, f"it has {len(values)} layers with weights, not {len(layers)}")
    for layer, found in zip(layers, values, strict=True):
        _check(path, layer, found)
    return values


def snake_case(kind: str) -> str:
    """How Keras turns a class's name into a layer's: `SeparableConv2D` -> "separable_conv2d"."""
    parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()


def _values(root: "h5py.Group", layers: Sequence["keras.layers.Layer"]) -> list[list[np.ndarray]]:
    ordered = _told(root, "layer_names")
    if ordered:
        return [values for name in ordered if (values := _published(root[name]))]
    if "layers" in root:
        return [_numbered(root["layers"], name) for name in _counted(layers)]
    return [_published(root[layer.name]) if layer.name in root else [] for layer in layers]


def _told(group: "h5py.Group", name: str) -> list[Any]:
    """An attribute's names; Keras cuts a long one into name0, name1, ..."""
    if name in group.attrs:
        return list(group.attrs[name])
    parts = sorted(
        (key for key in group.attrs if re.fullmatch(rf"{name}\d+", key)),
        key=lambda key: int(key[len(name) :]),
    )
    return [value for part in parts for value in group.attrs[part]]


def _published(group: "h5py.Group") -> list[np.ndarray]:
    return [group[name][()] for name in _told(group, "weight_names")]


def _numbered(root: "h5py.Group", name: str) -> list[np.ndarray]:
    values = root[name]["vars"] if name in root else {}
    return [values[str(k)][()] for k in range(len(values))]


def _counted(layers: Sequence["keras.layers.Layer"]) -> list[str]:
    """What a file of Keras 3 calls these layers: "conv2d", "conv2d_1", ..."""
    seen: Counter[str] = Counter()
    names = []
    for layer in layers:
        stem = snake_case(type(layer).__name__)
        names.append(f"{stem}_{seen[stem]}" if seen[stem] else stem)
        seen[stem] += 1
    return names


def _check(path: Path, layer: "keras.layers.Layer", values: list[np.ndarray]) -> None:
    found = [array.shape for array in values]
    wanted = [tuple(weight.shape) for weight in layer.weights]
    if found != wanted:
        raise _wrong(path, f"layer {layer.name} has the shapes {found}, not {wanted}")


def _wrong(path: Path, what: str) -> BadDataError:
    return BadDataError(
        f"{path} is not a file of this backbone's weights: {what}",
        wanted="an .h5 file of this backbone without top, as Keras publishes or saves it",
        remedy="correct the model's `weights` in params.yaml",
    )
