"""Paper 000's arithmetic (papers.md A7.5, 1, 2 and 5)."""

import pytest

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
    """A7.5, 5: 20 frames of 64 pixels and six classes: 2,880 values, 50,286 parameters."""
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
