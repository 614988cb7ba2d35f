"""Sizes and parameters of paper 000's networks, and of those of papers 001 to 003."""

import pytest

from components.core.errors import UsageError
from components.models.base import PAPER_000
from components.models.registry import definition_of


def _shapes(network):
    return {layer.name: layer.output.shape[1:] for layer in network.layers}


@pytest.fixture(scope="module")
def fusion():
    definition = definition_of("fusion")
    return definition.build(definition.settings(), PAPER_000, 2)


def test_the_chain_of_shapes(fusion):
    shapes = _shapes(fusion)
    chain = [shapes[f"convlstm_{k}{suffix}"] for k in range(1, 5) for suffix in ("", "_pool")]
    assert [side for _, side, _, _ in chain] == [126, 63, 61, 31, 29, 15, 13, 7]
    assert [channels for _, _, _, channels in chain] == [4, 4, 8, 8, 14, 14, 16, 16]
    assert {frames for frames, _, _, _ in chain} == {5}
    assert shapes["flatten"] == (3920,)
    assert shapes["numbers_flat"] == (145,)
    assert shapes["fusion"] == (8,)
    assert [shapes[name] for name in ("dense", "stream_1", "stream_2", "fusion_1", "fusion_2", "logits")] == [
        (1024,),
        (4,),
        (4,),
        (16,),
        (8,),
        (1,),
    ]


def test_the_parameters_of_the_convlstm_stream(fusion):
    count = {layer.name: layer.count_params() for layer in fusion.layers}
    blocks = [count[f"convlstm_{k}"] for k in range(1, 5)]
    assert blocks == [1_024, 3_488, 11_144, 17_344]
    assert sum(blocks) == 33_000
    assert sum(blocks) + count["dense"] + count["stream_1"] == 4_052_204
    assert fusion.count_params() == 4_062_945


def test_every_block_ends_in_dropout(fusion):
    names = [layer.name for layer in fusion.layers]
    assert [f"convlstm_{k}_dropout" in names for k in range(1, 5)] == [True] * 4
    without = definition_of("convlstm").settings(time_dropout_last=False)
    network = definition_of("convlstm").build(without, PAPER_000, 2)
    assert "convlstm_4_dropout" not in [layer.name for layer in network.layers]


def test_vgg16_without_top():
    definition = definition_of("vgg16")
    network = definition.build(definition.settings(weights="none"), PAPER_000, 2)
    blocks = [layer for layer in network.layers if layer.name.startswith("block")]
    assert sum(layer.count_params() for layer in blocks) == 14_714_688
    assert len([layer for layer in blocks if layer.count_params()]) == 13
    assert _shapes(network)["block5_pool"] == (4, 4, 512)


def test_the_blocks_give_paper_002s_convlstm_too():
    """20 frames of 64 pixels and six classes: 2,880 values, 50,286 parameters."""
    import keras
    from keras import layers

    from components.models.blocks import convlstm_block

    x = inputs = layers.Input((20, 64, 64, 3))
    for k, filters in enumerate((4, 8, 14, 16), start=1):
        x = convlstm_block(x, filters, 3, 0.2, 0.2, f"block_{k}")
    flat = layers.Flatten()(x)
    network = keras.Model(inputs, layers.Dense(6, activation="softmax")(flat))
    assert flat.shape[1:] == (2880,)
    assert network.count_params() == 50_286


@pytest.mark.parametrize(("classes", "parameters"), [(2, 72_961), (6, 73_126), (50, 74_578)])
def test_lrcn(classes, parameters):
    """72,928 + 33 for every logit; 64 pixels are pooled to one."""
    definition = definition_of("lrcn")
    network = definition.build(definition.settings(), definition.paper_shapes, classes)
    assert network.count_params() == parameters
    shapes = _shapes(network)
    assert [shapes[f"conv_{k}_pool"] for k in range(1, 5)] == [
        (16, 16, 16),
        (4, 4, 32),
        (2, 2, 64),
        (1, 1, 64),
    ]
    assert shapes["unfold_time"] == (20, 64)
    assert shapes["lstm"] == (32,)
    assert [f"conv_{k}_dropout" in shapes for k in range(1, 5)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("model", "chain"),
    [
        pytest.param("cnn_lstm", [("features", (20, 1280)), ("lstm", (128,))], id="paper 001"),
        pytest.param("mobilenet_lstm", [("features", (20, 1280)), ("lstm", (64,))], id="LSTM"),
        pytest.param(
            "mobilenet_bilstm", [("features", (20, 1280)), ("both_directions", (128,))], id="BD-LSTM"
        ),
        pytest.param("mobilenet_reslstm", [("skip", (20, 64)), ("mean_over_time", (64,))], id="Res-LSTM"),
        pytest.param("cnn3d_lstm", [("features", (20, 2048)), ("lstm", (128,))], id="paper 003 c"),
        pytest.param("inception_rule", [("features", (2048,)), ("logits", (14,))], id="paper 003 b"),
    ],
)
def test_heads_on_backbones(model, chain):
    definition = definition_of(model)
    shapes = _shapes(definition.build(definition.settings(), definition.paper_shapes, 14))
    assert [(name, shapes[name]) for name, _ in chain] == chain


def test_paper_001s_three_dense_layers():
    definition = definition_of("cnn_lstm")
    scratch = definition.settings(backbone="scratch")
    network = definition.build(scratch, definition_of("lrcn").paper_shapes, 2)
    assert [_shapes(network)[name] for name in ("dense_1", "dense_2", "logits")] == [(256,), (64,), (1,)]
    # Convolutions 60,512, LSTM 4 * 128 * (64 + 128 + 1), then 128 to 256 to 64 to 1.
    assert network.count_params() == 60_512 + 98_816 + 33_024 + 16_448 + 65
    assert len(network.trainable_variables) == len(network.weights)


@pytest.mark.parametrize(
    "change",
    [{"threshold": 101.0}, {"min_count": 0}, {"max_frames": 0}],
    ids=lambda change: next(iter(change)),
)
def test_a_rule_that_cannot_be_kept_is_refused(change):
    with pytest.raises(UsageError, match="a rule of"):
        definition_of("inception_rule").settings(**change)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"max_frames": 9}, id="more than are looked at"),
        pytest.param({"max_frames": 10, "comparison": "gt"}, id="more than all that are looked at"),
        pytest.param({"threshold": 100.0, "comparison": "gt"}, id="more than certain"),
    ],
)
def test_a_rule_that_can_never_sound_is_refused(change):
    with pytest.raises(UsageError, match="can never sound"):
        definition_of("inception_rule").settings(**change)
