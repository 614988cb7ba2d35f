"""Pretrained weights of Keras networks: ImageNet's, a file of the user's, or none."""

import hashlib
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.errors import BadDataError, StorageError, UsageError
from components.core.files import atomic_path, file_sha256
from components.core.weights import check_sha256
from components.models.h5_weights import read_layers

if TYPE_CHECKING:
    import keras


FETCH_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class KerasWeights:
    """One file of weights that Keras publishes.

    Attributes:
        file: its name.
        url: the folder that it is published in.
        md5: digest that Keras gives; empty where it gives none.
    """

    file: str
    url: str
    md5: str


@dataclass(frozen=True)
class WeightsFile:
    """Which weights a model asks for.

    Attributes:
        weights: `imagenet`, `none`, or the path of an .h5 file.
        sha256: digest of the only file that is accepted; a path needs one, a published file has its own.
        folder: where published files lie; empty is where Keras keeps them.
    """

    weights: str
    sha256: str = ""
    folder: str = ""


@dataclass(frozen=True)
class Pretrained:
    """A network below a head that does not learn, as far as it is known before it is built.

    Attributes:
        name: what tells it from others of the same modules and weights.
        code: the modules that say how it is built.
        file: its weights.
        imagenet: where those that are published come from.
    """

    name: str
    code: tuple[str, ...]
    file: WeightsFile
    imagenet: KerasWeights


def located(settings: Any, root: Path) -> Any:
    """A model's settings with its paths of weights as they are to be opened: relative ones begin at root."""
    paths = {name: getattr(settings, name, "") for name in ("weights", "weights_dir")}
    given = {name: path for name, path in paths.items() if path not in ("", "none", "imagenet")}
    if not given:
        return settings
    return replace(settings, **{name: str(root / Path(path).expanduser()) for name, path in given.items()})


def load_pretrained(
    layers: list["keras.layers.Layer"], wanted: WeightsFile, imagenet: KerasWeights
) -> dict[str, str]:
    """Put weights into layers; a file that does not fit changes none of them.

    Args:
        layers: all with weights, in the order of their network.

    Returns:
        SHA-256 of the file by its name; empty for `none`.

    Raises:
        UsageError, StorageError, BadDataError: as of `find_weights`; or the file is another network's.
    """
    if wanted.weights == "none":
        return {}
    path = find_weights(wanted, imagenet)
    for layer, values in zip(layers, read_layers(path, layers), strict=True):
        layer.set_weights(values)
    return {path.name: file_sha256(path)}


def find_weights(wanted: WeightsFile, imagenet: KerasWeights) -> Path:
    """The file that a model asks for.

    Raises:
        StorageError: it is not there, and cannot be fetched.
        UsageError: a path without a digest.
        BadDataError: it is another one.
    """
    path = _find(wanted, imagenet)
    if wanted.weights != "imagenet" and not wanted.sha256:
        raise UsageError(
            f"The weights {path} are given without their digest",
            wanted="one in params.yaml, lest another file of that name pass for this one",
            remedy=f"if this is the file, set the model's `weights_sha256: {file_sha256(path)}`",
        )
    if wanted.sha256:
        check_sha256(path, wanted.sha256)
    return path


def keras_folder() -> Path:
    """Where Keras keeps published weights."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"


def find_imagenet(weights: KerasWeights, folder: Path | None = None) -> Path:
    """The published file, fetched once where there is a network.

    Args:
        folder: where it lies, or is put; by default where Keras keeps it.

    Raises:
        StorageError: it is not there and cannot be fetched.
        BadDataError: the file that lies there is another one.
    """
    path = (folder or keras_folder()) / weights.file
    if not path.is_file():
        _fetch(weights, path)
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "md5").hexdigest()
    if weights.md5 and found != weights.md5:
        raise BadDataError(
            f"{path} has the md5 {found}",
            wanted=f"{weights.md5}, the file that Keras publishes",
            remedy=f"remove it and fetch {weights.url}{weights.file} again",
        )
    return path


def _find(wanted: WeightsFile, imagenet: KerasWeights) -> Path:
    if wanted.weights == "imagenet":
        return find_imagenet(imagenet, Path(wanted.folder).expanduser() if wanted.folder else None)
    return _given(Path(wanted.weights).expanduser())


def _fetch(weights: KerasWeights, path: Path) -> None:
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        with (
            urlopen(weights.url + weights.file, timeout=FETCH_TIMEOUT_S) as source,  # noqa: S310  a constant https
            atomic_path(path) as temporary,
            temporary.open("wb") as target,
        ):
            shutil.copyfileobj(source, target)
            if source.length:  # bytes still to come: reading in parts ends without an error
                raise OSError(f"the connection broke off, {source.length} bytes before the end")
    except (OSError, HTTPException) as error:
        raise StorageError(
            f"{weights.file} is not there and cannot be fetched: {error}",
            wanted=f"the ImageNet weights at {path}",
            remedy=f"fetch {weights.url}{weights.file} where there is a network and put it there, "
            "or into a folder that the model's `weights_dir` names, or set its `weights` in params.yaml to "
            "the file's path, or to `none` to begin at random",
        ) from error


def _given(path: Path) -> Path:
    if not path.is_file():
        raise StorageError(
            f"The weights {path} are not there",
            wanted="an .h5 file of the backbone's weights",
            remedy="correct the model's `weights` in params.yaml: a path, imagenet or none",
        )
    return path
