"""Pretrained weights of Keras networks: ImageNet's, a file of the user's, or none."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.errors import BadDataError, StorageError
from components.core.files import atomic_path, file_sha256

if TYPE_CHECKING:
    import keras


FETCH_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class KerasWeights:
    """One file of weights that Keras publishes.

    Attributes:
        file: its name.
        url: the folder that it is published in.
        md5: digest that Keras gives.
    """

    file: str
    url: str
    md5: str


def load_pretrained(
    layers: list["keras.layers.Layer"], weights: str, imagenet: KerasWeights
) -> dict[str, str]:
    """Put weights into layers, in order.

    Args:
        layers: those with weights, as the file has them.
        weights: `imagenet`, `none`, or the path of an .h5 file.

    Returns:
        SHA-256 of the file by its name; empty for `none`.

    Raises:
        StorageError: the file is not there, and cannot be fetched.
        BadDataError: the file is another one.
    """
    if weights == "none":
        return {}
    path = find_imagenet(imagenet) if weights == "imagenet" else _given(Path(weights))
    values = _read(path)
    for layer in layers:
        _put(layer, values, path)
    return {path.name: file_sha256(path)}


def keras_folder() -> Path:
    """Where Keras keeps published weights."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"


def find_imagenet(weights: KerasWeights) -> Path:
    """The published file, fetched once where there is a network.

    Raises:
        StorageError: it is not there and cannot be fetched.
        BadDataError: the file that lies there is another one.
    """
    path = keras_folder() / weights.file
    if not path.is_file():
        _fetch(weights, path)
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "md5").hexdigest()
    if found != weights.md5:
        raise BadDataError(
            f"{path} has the md5 {found}",
            wanted=f"{weights.md5}, the file that Keras publishes",
            remedy=f"remove it and fetch {weights.url}{weights.file} again",
        )
    return path


def _fetch(weights: KerasWeights, path: Path) -> None:
    from urllib.request import urlopen

    try:
        with (
            urlopen(weights.url + weights.file, timeout=FETCH_TIMEOUT_S) as source,  # noqa: S310  a constant https
            atomic_path(path) as temporary,
            temporary.open("wb") as target,
        ):
            shutil.copyfileobj(source, target)
    except OSError as error:
        raise StorageError(
            f"{weights.file} is not there and cannot be fetched: {error}",
            wanted=f"the ImageNet weights at {path}",
            remedy=f"fetch {weights.url}{weights.file} where there is a network and put it there, "
            "or set the model's `weights` in params.yaml to its path, or to `none` to begin at random",
        ) from error


def _given(path: Path) -> Path:
    if not path.is_file():
        raise StorageError(
            f"The weights {path} are not there",
            wanted="an .h5 file of the backbone's weights",
            remedy="correct the model's `weights` in params.yaml: a path, imagenet or none",
        )
    return path


def _read(path: Path) -> "dict[str, list]":  # type: ignore[type-arg]
    """Arrays by layer: (kernel, bias) in the order that the file names them."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            return {
                name: [group[weight][()] for weight in group.attrs.get("weight_names", ())]
                for name, group in root.items()
            }
    except (OSError, KeyError, AttributeError) as error:
        raise _wrong(path, f"it cannot be read: {error}") from error


def _put(layer: "keras.layers.Layer", values: "dict[str, list]", path: Path) -> None:  # type: ignore[type-arg]
    found = [array.shape for array in values.get(layer.name, ())]
    wanted = [tuple(weight.shape) for weight in layer.weights]
    if found != wanted:
        raise _wrong(path, f"layer {layer.name} has the shapes {found}, not {wanted}")
    layer.set_weights(values[layer.name])


def _wrong(path: Path, what: str) -> BadDataError:
    return BadDataError(
        f"{path} is not a file of this backbone's weights: {what}",
        wanted="an .h5 file as Keras publishes it, without top",
        remedy="correct the model's `weights` in params.yaml",
    )
