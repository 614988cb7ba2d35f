"""Backbones: their table against Keras' own, their weights, what learns, and frames folded into the batch."""

import importlib
import inspect

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from keras.src.legacy.saving import legacy_h5_format

from components.core.errors import BadDataError, StorageError, UsageError
from components.core.files import file_sha256
from components.models.backbones import (
    BACKBONES,
    BackboneSettings,
    build_backbone,
    clip_features,
    frame_features,
    initialise,
)
from components.models.networks import weights_of
from tests.components.models.conftest import pinned

NAMES = list(BACKBONES)
MODULES = {
    "resnet50": "resnet",
    "resnet101": "resnet",
    "resnet152": "resnet",
    "resnet50v2": "resnet_v2",
}


def _module(name):
    return importlib.import_module(f"keras.src.applications.{MODULES.get(name, name)}")


def _side(name):
    return BACKBONES[name].min_side


def _theirs(name):
    """Keras' own network, every weight a value of its own."""
    side = _side(name)
    network = getattr(keras.applications, BACKBONES[name].application)(
        include_top=False, weights=None, input_shape=(side, side, 3), pooling="avg"
    )
    rng = np.random.default_rng(27)
    for weight in network.weights:
        if weight.path.endswith(("gamma", "variance")):
            weight.assign(rng.uniform(0.9, 1.1, weight.shape))
        elif not weight.path.endswith("kernel"):
            weight.assign(rng.normal(0, 0.1, weight.shape))
    return network


def _network(settings, frames=0):
    """Pixels of a clip, or of a frame where `frames` is 0, to features."""
    side = _side(settings.backbone)
    shape = (frames, side, side, 3) if frames else (side, side, 3)
    pixels = layers.Input(shape, name="frames")
    features = (clip_features if frames else frame_features)(pixels, settings)
    return keras.Model(pixels, features)


def _write(network, path, form):
    if form == "keras 3":
        network.save_weights(path)
        return
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        *(pytest.param(name, "published", id=name) for name in NAMES),
        pytest.param("mobilenet_v2", "keras 3", id="mobilenet_v2 saved by Keras 3"),
        pytest.param("inception_v3", "keras 3", id="inception_v3 saved by Keras 3"),
        pytest.param("xception", "keras 3", id="xception saved by Keras 3"),
    ],
)
def test_keras_own_features_from_keras_own_file(name, form, tmp_path):
    theirs, path = _theirs(name), tmp_path / "its.weights.h5"
    _write(theirs, path, form)
    settings = BackboneSettings(name, **pinned(path))
    ours = _network(settings)
    assert initialise(ours, settings) == {"its.weights.h5": file_sha256(path)}
    pixels = np.random.default_rng(3).random((2, _side(name), _side(name), 3)).astype(np.float32)
    wanted = theirs(_module(name).preprocess_input(255 * pixels), training=False)
    np.testing.assert_allclose(ours(pixels), wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())
    assert ours.output.shape == (None, BACKBONES[name].channels)
    assert not ours.trainable_variables


@pytest.mark.parametrize("name", NAMES)
def test_the_published_file_is_the_one_that_keras_names(name):
    source = inspect.getsource(_module(name))
    known, digests = BACKBONES[name].imagenet, getattr(_module(name), "WEIGHTS_HASHES", {})
    if name == "mobilenet_v2":
        assert known.url in source
        assert not known.md5
        return
    module = inspect.getsource(_module("resnet50")) if name.startswith("resnet") else source
    assert known.url.rsplit("/", 2)[1] in module
    assert known.md5 in module
    if name.startswith("resnet"):
        digests = _module("resnet50").WEIGHTS_HASHES
        assert known.md5 == digests[name][1]
        assert known.file == f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    else:
        assert known.file in source


def test_too_small_a_frame_is_refused_by_keras_at_the_side_that_the_table_names():
    for name in ("inception_v3", "xception", "mobilenet_v2"):
        side = _side(name) - 1
        with pytest.raises(ValueError, match=f"at least {side + 1}"):
            build_backbone(name, (side, side, 3))


@pytest.mark.parametrize("name", ["inception_v3", "xception"])
def test_weights_keep_their_names_however_many_layers_were_made_before(name):
    once = [weight.path for weight in build_backbone(name, (80, 80, 3)).weights]
    layers.Conv2D(1, 1).build((None, 4, 4, 3))
    assert [weight.path for weight in build_backbone(name, (80, 80, 3)).weights] == once


@pytest.mark.parametrize(
    ("settings", "learning"),
    [
        pytest.param({"weights": "none"}, "all", id="random learns"),
        pytest.param({}, "none", id="pretrained is frozen"),
        pytest.param({"fine_tune": "all"}, "all", id="all of it if told"),
        pytest.param({"fine_tune": "last_block"}, "last_block", id="its last block if told"),
    ],
)
def test_what_learns(settings, learning):
    settings = BackboneSettings(**settings)
    assert settings.learning_part == learning
    network = _network(settings)
    learned = {weight.path.split("/")[0] for weight in network.trainable_variables}
    assert ("Conv1" in learned) == (learning == "all")
    assert ("block_16_expand" in learned) == (learning != "none")


@pytest.mark.parametrize("fine_tune", ["none", "last_block"])
def test_random_and_frozen_is_refused(fine_tune):
    with pytest.raises(UsageError, match=f"fine_tune: {fine_tune} with weights: none"):
        BackboneSettings(weights="none", fine_tune=fine_tune)


def test_a_frozen_backbone_keeps_to_its_averages():
    network = _network(BackboneSettings())
    pixels = np.random.default_rng(3).random((4, 32, 32, 3)).astype(np.float32)
    before = weights_of(network)
    np.testing.assert_array_equal(network(pixels, training=True), network(pixels, training=False))
    assert all(np.array_equal(before[name], array) for name, array in weights_of(network).items())


def test_frames_of_a_clip_are_answered_as_single_frames():
    settings = BackboneSettings("vgg16")
    clips, frames = _network(settings, frames=3), _network(settings)
    for weight, same in zip(frames.weights, clips.weights, strict=True):
        weight.assign(same)
    pixels = np.random.default_rng(3).random((2, 3, 32, 32, 3)).astype(np.float32)
    answered = clips(pixels)
    assert answered.shape == (2, 3, 512)
    np.testing.assert_allclose(answered[1], frames(pixels[1]), rtol=1e-4, atol=1e-5)


def test_weights_dir_says_where_the_published_file_lies(tmp_path, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", _unreachable)
    settings = BackboneSettings(weights_dir=str(tmp_path))
    network = _network(settings)
    file = BACKBONES["mobilenet_v2"].imagenet.file
    with pytest.raises(StorageError) as caught:
        initialise(network, settings)
    assert str(tmp_path / file) in str(caught.value)
    assert "weights_dir" in str(caught.value)
    _write(_theirs("mobilenet_v2"), tmp_path / file, "published")
    assert list(initialise(network, settings)) == [file]


def _unreachable(url, timeout):
    raise OSError("no route to host")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"weights_sha256": "0" * 64}, "has the sha256", id="another digest"),
        pytest.param({"backbone": "vgg19"}, "13 layers with weights, not 16", id="another network"),
    ],
)
def test_another_file_changes_nothing(change, message, tmp_path):
    path = tmp_path / "vgg16.h5"
    _write(_theirs("vgg16"), path, "published")
    settings = BackboneSettings(**{"backbone": "vgg16", **pinned(path), **change})
    network = _network(settings)
    before = weights_of(network)
    with pytest.raises(BadDataError, match=message):
        initialise(network, settings)
    assert all(np.array_equal(before[name], array) for name, array in weights_of(network).items())


@pytest.mark.parametrize(("weights", "momentum"), [("none", 0.9), ("imagenet", 0.999)])
def test_averages_follow_faster_where_a_backbone_begins_at_random(weights, momentum):
    published = _network(BackboneSettings(weights=weights)).get_layer("backbone").get_layer("mobilenet_v2")
    assert {layer.momentum for layer in published.layers if hasattr(layer, "momentum")} == {momentum}
