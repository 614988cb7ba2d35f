"""Features of a frozen backbone: made once per clip, whoever asks, the same wherever from."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from components.core.errors import BadDataError, ResourceError
from components.core.files import array_digest
from components.features.scaler import Scaler
from components.models.backbones import BACKBONE, BackboneSettings, build_backbone
from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, frames_input, numbers_input
from components.models.bundle import Bundle, write_bundle
from components.models.frozen import head_of, lower_of
from components.models.networks import build_network
from components.models.registry import definition_of
from components.store.store import Store
from components.training import features as module
from components.training import learn as learning
from components.training.bundling import answers, calibrate, describe
from components.training.features import Features
from components.training.learn import learn
from components.training.observer import Unwatched
from components.training.settings import TrainSettings
from components.training.task import Task
from components.training.tensors import TensorFile
from tests.components.models.conftest import VIEW, make_clips, pinned

N, T = 12, 3


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of MobileNetV2's weights under which its features tell clips apart."""
    path = tmp_path_factory.mktemp("weights") / "mobilenet.weights.h5"
    keras.utils.set_random_seed(27)
    published = build_backbone("mobilenet_v2", (32, 32, 3)).get_layer("mobilenet_v2")
    for weight in published.weights:
        if weight.path.endswith("moving_variance"):
            weight.assign(0.02 * np.ones(weight.shape))
    published.save_weights(path)
    return str(path)


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory):
    """A file of VGG16's weights at random."""
    keras.utils.set_random_seed(27)
    return _random_file("vgg16", tmp_path_factory.mktemp("weights"))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def clips():
    return make_clips(n=N, t=T, side=32)


def _task(name, clips, weights, frames=None, files=(), **training):
    definition = definition_of(name)
    numbers = np.nan_to_num((clips.numbers - 500) / 40).astype(np.float32)
    streams = {"frames": clips.frames if frames is None else frames, "numbers": numbers}
    return Task(
        model_id=name,
        definition=definition,
        settings=definition.settings(**pinned(weights)),
        training=TrainSettings(**{"epochs": 2, "batch": 4, "patience": 5, **training}),
        classes=("calm", "fight"),
        streams={stream: streams[stream] for stream in definition.streams},
        train_rows=np.arange(6),
        val_rows=np.arange(6, 10),  # the test side takes no part
        labels=clips.labels,
        digests={"frames": [array_digest(tensor) for tensor in clips.frames]},
        files=files,
    )


def _learn(task, features=None):
    return learn(task, None, Unwatched(), features)


def _same(one, other):
    assert one.history == other.history
    assert one.arrays.keys() == other.arrays.keys()
    assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)
    np.testing.assert_array_equal(one.raw, other.raw)


@pytest.mark.parametrize(
    ("first", "others"),
    [
        pytest.param(
            "mobilenet_lstm",
            [
                ("mobilenet_bilstm", {}),
                ("mobilenet_lstm", {"seed": 3}),
                ("mobilenet_lstm", {"epochs": 4}),
                ("cnn_lstm", {}),
                ("mil_ranking", {}),
            ],
            id="published",
        ),
        pytest.param(
            "vgg16", [("vgg16_mlp", {}), ("vgg16", {"seed": 3}), ("vgg16", {"epochs": 4})], id="ours"
        ),
    ],
)
def test_another_head_seed_or_epoch_asks_no_backbone_and_opens_no_pixels(
    first, others, clips, weights, vgg16, store, tmp_path, monkeypatch
):
    asked = []
    compiled = module._compiled

    def counted(lower):
        ask = compiled(lower)
        return lambda batch: asked.append(len(batch)) or ask(batch)

    monkeypatch.setattr(module, "_compiled", counted)
    built = []
    initialised = learning._initialised
    monkeypatch.setattr(learning, "_initialised", lambda *of: built.append(of) or initialised(*of))
    if first == "vgg16":
        weights = vgg16
    np.save(tmp_path / "frames.npy", clips.frames)
    frames = TensorFile(tmp_path / "frames.npy", clips.frames.shape)
    features = Features(store, tmp_path)
    _learn(_task(first, clips, weights, frames), features)
    assert (features.made, features.taken, len(asked), len(built)) == (10, 0, 10, 1)

    (tmp_path / "frames.npy").write_bytes(b"")  # whoever opens it now fails
    unread = TensorFile(tmp_path / "frames.npy", clips.frames.shape)
    for name, training in others:
        again = Features(store, tmp_path)
        task = replace(_task(name, clips, weights, unread, **training), test_rows=np.arange(6, 8))
        learned = _learn(task, again)
        assert (again.made, again.taken, len(asked), len(built)) == (0, 10, 10, 1)
        info = describe(task, learned, view_name="v", view=VIEW, chain={}, scaler=None, digests={})
        info = calibrate(info, task, learned, unread, clips.numbers)
        assert info.training["epochs"] == learned.outcome["epochs"]
        said = answers(Bundle(info, learned.arrays), learned, task.test_rows, unread, clips.numbers, None)
        assert len(said.predicted) == 2


@pytest.mark.parametrize("name", ["mobilenet_lstm", "vgg16_mlp"])
def test_the_result_is_the_same_whether_features_were_stored_or_made(name, clips, weights, vgg16, store):
    task = _task(name, clips, weights if name == "mobilenet_lstm" else vgg16)
    made = _learn(task)
    _same(made, _learn(task, Features(store)))
    _same(made, _learn(task, Features(store)))


def test_the_bundles_network_is_the_whole_one_and_answers_as_its_head(clips, weights, vgg16, tmp_path):
    for name in ("mobilenet_lstm", "frame_resnet50_v2", "mil_ranking", "vgg16", "vgg16_mlp"):
        given = {
            "mobilenet_lstm": weights,
            "frame_resnet50_v2": _random_file("resnet50v2", tmp_path),
        }.get(name, vgg16)
        task = _task(name, clips, given)
        if name == "mil_ranking":
            task = replace(task, settings=replace(task.settings, backbone="vgg16"))
        learned = _learn(task)
        scaler = Scaler(np.full(29, 500.0), np.full(29, 40.0), np.full(29, 36))
        info = describe(task, learned, view_name="v", view=VIEW, chain={}, scaler=scaler, digests={})
        bundle = write_bundle(tmp_path / name, info, learned.arrays)
        said = bundle.predict(clips.frames, clips.numbers, task.val_rows)
        known = bundle.of_raw(learned.raw[task.val_rows])
        for what, values in vars(said).items():
            if what != "frames" and values is not None:
                np.testing.assert_allclose(values, vars(known)[what], atol=1e-5)
        assert np.ptp(said.raw if said.scores is None else said.scores) > 1e-5
        assert np.isnan(learned.raw[10:]).all()  # the test side takes no part


@pytest.mark.parametrize("name", ["vgg16_mlp", "resnet_convgru"])
def test_narrow_layers_of_a_head_are_looked_at(name, clips, vgg16, tmp_path):
    given = vgg16 if name == "vgg16_mlp" else _random_file("resnet50", tmp_path)
    learned = _learn(_task(name, clips, given, max_steps=1))
    assert set(learned.outcome["dead_units"]) == set(definition_of(name).bottlenecks)


def test_features_of_vgg16_are_its_last_maps(clips, vgg16, store, tmp_path):
    """Published for 128 x 128: (4, 4, 512) float32 of every frame, 160 KiB of a clip of five."""
    features = Features(store)
    _learn(_task("vgg16", clips, vgg16, max_steps=1), features)
    sizes = {path.stat().st_size // 1024 for path in (tmp_path / "store" / "features").rglob("*.npz")}
    assert sizes == {T * 512 * 4 // 1024}  # at 32 x 32: (1, 1, 512)


def _random_file(name, folder):
    path = folder / f"{name}.weights.h5"
    build_backbone(name, (32, 32, 3)).get_layer(name).save_weights(path)
    return str(path)


def test_a_backbone_that_learns_goes_the_whole_way(clips):
    features = Features()
    learned = _learn(_task("mobilenet_lstm", clips, "none", max_steps=1), features)
    assert (features.made, learned.raw) == (0, None)


def test_mirrored_clips_have_other_features_so_none_are_kept(clips, weights, store):
    features = Features(store)
    learned = _learn(_task("mobilenet_lstm", clips, weights, augmentation="flip", max_steps=1), features)
    assert (features.made, features.taken, learned.raw) == (0, 0, None)


@pytest.mark.parametrize(
    ("change", "made"),
    [
        pytest.param("nothing", 0, id="nothing"),
        pytest.param("pixel", 1, id="one pixel of one clip"),
        pytest.param("weights", 10, id="the weights"),
    ],
)
def test_only_what_decides_features_makes_them_again(change, made, clips, weights, store, tmp_path):
    _learn(_task("mobilenet_lstm", clips, weights, max_steps=1), Features(store))
    if change == "pixel":
        clips.frames[4, 0, 0, 0, 0] ^= 1
    if change == "weights":
        weights = _random_file("mobilenet_v2", tmp_path)
    again = Features(store)
    _learn(_task("mobilenet_lstm", clips, weights, max_steps=1), again)
    assert again.made == made


def test_a_damaged_object_is_made_again(clips, weights, store, tmp_path):
    _learn(_task("mobilenet_lstm", clips, weights, max_steps=1), Features(store))
    next((tmp_path / "store" / "features").rglob("*.npz")).write_bytes(b"rubbish")
    again = Features(store)
    _learn(_task("mobilenet_lstm", clips, weights, max_steps=1), again)
    assert (again.made, again.taken) == (1, 9)


def test_a_clip_that_is_forgotten_takes_its_features_along(clips, weights, store):
    files = [f"{k:064x}" for k in range(N)]
    _learn(_task("mobilenet_lstm", clips, weights, files=files, max_steps=1), Features(store))
    assert [kind for kind, _ in store.made_from({files[3]})] == ["features"]
    assert not list(store.made_from({files[11]}))  # on neither side


def test_a_full_disk_is_told_before_the_work(clips, weights, tmp_path, monkeypatch):
    monkeypatch.setattr("components.core.space.RESERVE_BYTES", 10**18)
    with pytest.raises(ResourceError, match="features of one training"):
        _learn(_task("mobilenet_lstm", clips, weights), Features(None, tmp_path))


def test_nothing_is_left_in_the_scratch_folder(clips, weights, tmp_path):
    _learn(_task("mobilenet_lstm", clips, weights, max_steps=1), Features(None, tmp_path / "scratch"))
    assert not list((tmp_path / "scratch").iterdir())


def test_a_network_that_looks_at_numbers_too_is_divided(clips, weights):
    def build(settings, shapes, n_classes):
        from components.models.backbones import frame_features

        frames, pixels = frames_input(shapes.frames[1:])
        numbers = numbers_input(shapes.numbers[1:])
        joined = keras.layers.Concatenate(name="both")([frame_features(pixels, settings), numbers])
        return keras.Model({"frames": frames, "numbers": numbers}, classifier(joined, n_classes), name="two")

    two = KerasDefinition("two", "tests", "frames", ("frames", "numbers"), BackboneSettings, build=build)
    shapes = InputShapes(frames=(T, 32, 32, 3), numbers=(T, 29))
    network = build_network("two", two, BackboneSettings(**pinned(weights)), shapes, 2)
    head = head_of(network)
    numbers = np.ones((2, 29), np.float32)
    features = np.asarray(lower_of(network)(clips.frames[0, :2]))
    np.testing.assert_array_equal(
        head({"features": features, "numbers": numbers}),
        network({"frames": clips.frames[0, :2], "numbers": numbers}),
    )
    assert {weight.path for weight in head.weights} == {"logits/kernel", "logits/bias"}


def test_a_definition_that_learns_below_its_features_is_at_fault():
    definition = definition_of("mobilenet_lstm")
    settings = definition.settings(weights="none")
    network = build_network("mobilenet_lstm", definition, settings, InputShapes(frames=(T, 32, 32, 3)), 2)
    assert network.get_layer(BACKBONE).trainable_variables
    with pytest.raises(ValueError, match="learns below its features"):
        lower_of(network)


def test_a_tensor_file_is_opened_when_it_is_read_and_must_be_what_was_said(tmp_path):
    values = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
    np.save(tmp_path / "t.npy", values)
    tensor = TensorFile(tmp_path / "t.npy", values.shape)
    assert (len(tensor), tensor.shape, tensor.dtype) == (4, (4, 3, 2), np.uint8)
    np.testing.assert_array_equal(tensor[np.array([2, 0])], values[[2, 0]])
    np.testing.assert_array_equal(tensor[np.array([2, 0]), np.array([1, 2])], values[[2, 0], [1, 2]])
    with pytest.raises(BadDataError, match=r"holds uint8 \(4, 3, 2\)"):
        TensorFile(tmp_path / "t.npy", (5, 3, 2))[0]
