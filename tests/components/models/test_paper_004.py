"""Paper 004's networks: shapes, parameters, and how features become maps."""

import doctest

import keras
import numpy as np
import pytest

from components.core.errors import UsageError
from components.models import resnet_convgru
from components.models.backbones import BACKBONES
from components.models.base import InputShapes
from components.models.networks import build_network
from components.models.registry import definition_of
from components.models.resnet_convgru import ResNetConvGRUSettings, derived_map

SMALL = InputShapes(frames=(3, 32, 32, 3))


def network(model_id="resnet_convgru", shapes=SMALL, n_classes=2, **given):
    definition = definition_of(model_id)
    settings = definition.settings(**{"weights": "none", **given})
    return build_network(model_id, definition, settings, shapes, n_classes)


def shapes_of(built):
    return {layer.name: tuple(layer.output.shape[1:]) for layer in built.layers}


def test_the_papers_chain_of_shapes():
    definition = definition_of("resnet_convgru")
    found = shapes_of(network(shapes=definition.paper_shapes, n_classes=14))
    names = ("features", "maps", "convgru", "pool", "flatten", "fc_1", "fc_2", "fc_3", "logits")
    assert [found[name] for name in names] == [
        (20, 2048),
        (20, 4, 4, 128),
        (4, 4, 256),
        (2, 2, 256),
        (1024,),
        (1000,),
        (256,),
        (10,),
        (14,),
    ]


def test_the_recurrences_differ_by_a_quarter():
    gru, lstm = network(), network("resnet_convlstm")
    ours, theirs = gru.get_layer("convgru").count_params(), lstm.get_layer("convlstm").count_params()
    assert (ours, theirs) == (2_654_976, 3_539_968)
    assert lstm.count_params() - gru.count_params() == theirs - ours


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_has_a_map(name):
    height, width, channels = ResNetConvGRUSettings(backbone=name).map_shape
    assert height == width
    assert channels <= 128
    assert height * width * channels == BACKBONES[name].channels


@pytest.mark.parametrize(
    ("channels", "wanted"),
    [
        pytest.param(2048, (4, 4, 128), id="ResNet"),
        pytest.param(512, (2, 2, 128), id="VGG"),
        pytest.param(1280, (4, 4, 80), id="MobileNetV2"),
        pytest.param(100, (1, 1, 100), id="few"),
    ],
)
def test_maps_are_derived_from_the_number_of_features(channels, wanted):
    assert derived_map(channels) == wanted


def test_the_example_is_true():
    assert doctest.testmod(resnet_convgru) == doctest.TestResults(failed=0, attempted=1)


def test_features_that_make_no_square_are_refused():
    with pytest.raises(UsageError, match="2047 features"):
        derived_map(2047)


@pytest.mark.parametrize(
    ("given", "maps"),
    [
        pytest.param({"project_3x3x128": True}, (3, 3, 3, 128), id="the paper's letter"),
        pytest.param({"spatial_reshape": (2, 4, 256)}, (3, 2, 4, 256), id="given"),
        pytest.param({"backbone": "mobilenet_v2"}, (3, 4, 4, 80), id="another backbone"),
    ],
)
def test_other_maps(given, maps):
    built = network(**given, filters=8)
    assert shapes_of(built)["maps"] == maps
    assert ("project" in shapes_of(built)) == ("project_3x3x128" in given)
    assert built(np.zeros((2, 3, 32, 32, 3), np.uint8)).shape == (2, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"spatial_reshape": (3, 3, 128)}, "for the 2048 features of resnet50", id="as printed"),
        pytest.param({"spatial_reshape": (-4, -4, 128)}, "for the 2048 features", id="negative"),
        pytest.param(
            {"spatial_reshape": (4, 4, 128), "project_3x3x128": True}, "with project_3x3x128", id="both"
        ),
        pytest.param({"fc_units": ()}, "fc_units", id="no dense layer"),
    ],
)
def test_settings_that_mean_nothing_are_refused(given, message):
    with pytest.raises(UsageError, match=message):
        ResNetConvGRUSettings(**given)


@pytest.mark.parametrize("model_id", ["resnet_convgru", "resnet_convlstm"])
def test_a_frozen_backbone_keeps_its_weights_and_the_rest_learns(model_id):
    built = network(model_id, weights="imagenet")
    learning = {variable.path.split("/")[0] for variable in built.trainable_variables}
    recurrence = model_id.removeprefix("resnet_")
    assert learning == {recurrence, "fc_1", "fc_1_norm", "fc_2", "fc_3", "logits"}


def test_the_initialiser_is_a_setting():
    layers = network(initializer="he_uniform").layers
    chosen = [layer.kernel_initializer for layer in layers if layer.name in ("convgru", "fc_1", "fc_3")]
    assert [type(initializer) for initializer in chosen] == [keras.initializers.HeUniform] * 3


def test_convlstm64_at_six_classes():
    """Paper 002, Table 2, worked out: four blocks make 3 pixels of 64."""
    definition = definition_of("convlstm64")
    built = build_network("convlstm64", definition, definition.settings(), definition.paper_shapes, 6)
    assert shapes_of(built)["flatten"] == (2880,)
    assert built.count_params() == 50_286
    sides = [shapes_of(built)[f"convlstm_{k}{end}"][1] for k in range(1, 5) for end in ("", "_pool")]
    assert sides == [62, 31, 29, 15, 13, 7, 5, 3]


def test_c3d_has_eight_convolutions_and_five_poolings():
    definition = definition_of("c3d")
    built = definition.build(definition.settings(), definition.paper_shapes, 2)
    found = shapes_of(built)
    assert sum("conv" in name for name in found) == 8
    pools = [found[f"block{b}_pool"] for b in range(1, 6)]
    assert [(frames, side) for frames, side, _, _ in pools] == [(16, 56), (8, 28), (4, 14), (2, 7), (1, 4)]
    assert (found["flatten"], found["fc_2"]) == ((8192,), (4096,))
    assert sum(layer.count_params() for layer in built.layers if "conv" in layer.name) == 27_655_936
