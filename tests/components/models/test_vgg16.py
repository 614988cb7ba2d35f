"""Weights of the VGG16 backbone: where they come from, and what happens when they do not."""

from http.client import HTTPResponse
from io import BytesIO

import h5py
import keras
import numpy as np
import pytest

from components.core.errors import BadDataError, StorageError, UsageError
from components.core.files import file_sha256
from components.models import pretrained, vgg16
from components.models.base import InputShapes
from components.models.networks import build_network, weights_of
from components.models.pretrained import KerasWeights, find_imagenet
from components.models.vgg16 import MODEL, VGG16Settings
from tests.components.models.conftest import pinned

SMALL = InputShapes(frames=(1, 32, 32, 3))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A file as Keras publishes it, of weights at random: (kernel, bias) by layer, as `layer/name:0`."""
    path = tmp_path_factory.mktemp("weights") / "vgg16_notop.h5"
    keras.utils.set_random_seed(1)
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    with h5py.File(path, "w") as file:
        for layer in network.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{kind}_1:0" for kind in ("W", "b")[: len(layer.weights)]]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.get_weights(), strict=True):
                group[name] = weight
    return path, network


def test_a_file_as_keras_publishes_it_gives_keras_own_features(published):
    path, theirs = published
    settings = VGG16Settings(**pinned(path))
    ours = build_network("vgg16", MODEL, settings, SMALL, 2)
    digests = MODEL.initialise(ours, settings)
    assert list(digests) == ["vgg16_notop.h5"]
    pixels = np.random.default_rng(27).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    features = keras.Model(ours.input, ours.get_layer("block5_pool").output)(pixels)
    wanted = theirs(keras.applications.vgg16.preprocess_input(pixels.astype(np.float32)))
    np.testing.assert_allclose(features, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "learning"),
    [
        pytest.param({"weights": "none"}, 32, id="random learns"),
        pytest.param({"weights": "imagenet"}, 6, id="pretrained is frozen"),
        pytest.param({"weights": "imagenet", "backbone": "train"}, 32, id="pretrained learns if told"),
    ],
)
def test_what_learns(settings, learning):
    network = build_network("vgg16", MODEL, VGG16Settings(**settings), SMALL, 2)
    assert len(network.trainable_variables) == learning


def test_a_path_needs_the_digest_of_its_file(published):
    path, _ = published
    settings = VGG16Settings(weights=str(path))
    network = build_network("vgg16", MODEL, settings, SMALL, 2)
    with pytest.raises(UsageError, match=f"weights_sha256: {file_sha256(path)}"):
        MODEL.initialise(network, settings)


def test_random_and_frozen_is_refused():
    with pytest.raises(UsageError, match="backbone: freeze with weights: none"):
        VGG16Settings(weights="none", backbone="freeze")


def test_without_a_network_the_error_names_file_place_and_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", _unreachable)
    network = build_network("vgg16", MODEL, VGG16Settings(), SMALL, 2)
    with pytest.raises(StorageError) as caught:
        MODEL.initialise(network, VGG16Settings())
    said = str(caught.value)
    assert vgg16.IMAGENET.file in said
    assert str(tmp_path / "models" / vgg16.IMAGENET.file) in said
    assert "`none`" in said
    assert not list(tmp_path.rglob("*.*"))


def _unreachable(url, timeout):
    raise OSError("no route to host")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(b"Content-Length: 10\r\n\r\nfive.", "5 bytes before the end", id="length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\na\r\nfive.", "IncompleteRead", id="chunks"),
    ],
)
def test_a_fetch_that_breaks_off_leaves_no_file(answer, told, tmp_path, monkeypatch):
    class Socket:
        def makefile(self, mode):
            return BytesIO(b"HTTP/1.1 200 OK\r\n" + answer)

    def urlopen(url, timeout):
        response = HTTPResponse(Socket())
        response.begin()
        return response

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    with pytest.raises(StorageError, match=told):
        find_imagenet(KerasWeights("some.h5", "https://example.org/", ""), tmp_path)
    assert not list(tmp_path.iterdir())


def test_another_file_in_its_place_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    path = pretrained.keras_folder() / "some.h5"
    path.parent.mkdir()
    path.write_bytes(b"not the weights")
    with pytest.raises(BadDataError, match="has the md5"):
        find_imagenet(KerasWeights("some.h5", "https://example.org/", "0" * 32))


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        pytest.param(None, StorageError, "are not there", id="no file"),
        pytest.param(b"text", BadDataError, "cannot be read", id="no hdf5"),
        pytest.param("empty", BadDataError, "layer block1_conv1 has the shapes", id="other layers"),
    ],
)
def test_a_wrong_path_changes_nothing(content, error, message, tmp_path):
    path = tmp_path / "mine.h5"
    if content == "empty":
        h5py.File(path, "w").close()
    elif content is not None:
        path.write_bytes(content)
    settings = VGG16Settings(**pinned(path))
    network = build_network("vgg16", MODEL, settings, SMALL, 2)
    before = weights_of(network)
    with pytest.raises(error, match=message):
        MODEL.initialise(network, settings)
    assert all(np.array_equal(before[name], array) for name, array in weights_of(network).items())
