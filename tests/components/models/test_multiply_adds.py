"""Multiply-adds: counted by hand for each kind of layer, and against published networks."""

import numpy as np
import pytest

from components.models.base import InputShapes
from components.models.multiply_adds import of_matrices, of_network
from components.models.networks import build_network
from components.models.registry import definition_of


def network(shape, *make):
    import keras

    x = inputs = keras.Input(shape)
    for layer in make:
        x = layer()(x)
    return keras.Model(inputs, x)


def layer(kind, *given, **named):
    def build():
        import keras

        from components.models.convgru2d import ConvGRU2D

        return (
            ConvGRU2D(*given, **named)
            if kind == "ConvGRU2D"
            else getattr(keras.layers, kind)(*given, **named)
        )

    return build


def both_directions():
    import keras

    return keras.layers.Bidirectional(keras.layers.LSTM(4))


@pytest.mark.parametrize(
    ("shape", "layers", "count"),
    [
        pytest.param((7,), [layer("Dense", 3)], 7 * 3, id="dense"),
        pytest.param((5, 7), [layer("Dense", 3)], 5 * 7 * 3, id="dense at each of five steps"),
        pytest.param((8, 8, 3), [layer("Conv2D", 4, 3)], 36 * 27 * 4, id="convolution without its border"),
        pytest.param((8, 8, 4), [layer("Conv2D", 6, 3, groups=2)], 36 * 18 * 6, id="two groups"),
        pytest.param((8, 8, 3), [layer("Conv2D", 4, 3, 2, "same")], 16 * 27 * 4, id="every other pixel"),
        pytest.param((4, 8, 8, 3), [layer("Conv3D", 2, 3, padding="same")], 256 * 81 * 2, id="in time too"),
        pytest.param((8, 8, 3), [layer("DepthwiseConv2D", 3)], 36 * 9 * 3, id="each channel alone"),
        pytest.param((4, 4, 3), [layer("Conv2DTranspose", 2, 3, 2)], 16 * 9 * 3 * 2, id="enlarging"),
        pytest.param((5, 7), [layer("LSTM", 4)], 5 * 4 * (7 + 4) * 4, id="lstm: four gates"),
        pytest.param((5, 7), [layer("GRU", 4)], 5 * 3 * (7 + 4) * 4, id="gru: three gates"),
        pytest.param((5, 7), [both_directions], 2 * 5 * 4 * (7 + 4) * 4, id="both directions"),
        pytest.param(
            (5, 8, 8, 3), [layer("ConvLSTM2D", 2, 3)], 5 * 36 * 9 * (3 + 2) * 8, id="convlstm, last state"
        ),
        pytest.param(
            (5, 8, 8, 3),
            [layer("ConvLSTM2D", 2, 3, return_sequences=True)],
            5 * 36 * 9 * (3 + 2) * 8,
            id="convlstm, all states",
        ),
        pytest.param(
            (5, 8, 8, 3),
            [layer("ConvGRU2D", 2)],
            64 * 9 * 6 * (5 * 3 + 4 * 2),
            id="convgru: no state at first",
        ),
        pytest.param(
            (8, 8, 3),
            [layer("BatchNormalization"), layer("MaxPooling2D"), layer("Flatten"), layer("Dense", 2)],
            48 * 2,
            id="what has no kernel costs nothing",
        ),
        pytest.param((5,), [layer("Embedding", 10, 4)], None, id="not known"),
    ],
)
def test_counted_by_hand(shape, layers, count):
    assert of_network(network(shape, *layers)) == count


def test_a_network_within_counts_for_each_frame_and_a_layer_each_time_it_is_called():
    import keras

    from components.models.folding import FoldTime

    twice = keras.layers.Dense(4)
    inner = network((8, 8, 3), layer("Conv2D", 4, 3), layer("Flatten"))
    frames = keras.Input((5, 8, 8, 3))
    features = inner(FoldTime()(frames))  # (5, 144)
    outer = keras.Model(frames, twice(twice(keras.layers.Dense(4)(features))))
    assert of_network(outer) == 5 * (36 * 27 * 4 + 144 * 4 + 2 * 4 * 4)


@pytest.mark.parametrize(
    ("model", "shapes", "millions"),
    [
        pytest.param("c3d", InputShapes(frames=(16, 112, 112, 3)), 38_547, id="C3D: 38.5 G"),
        pytest.param(
            "frame_vgg19", InputShapes(frames=(1, 224, 224, 3)), 19_508, id="VGG19: 19.6 G with its top"
        ),
    ],
)
def test_published_networks(model, shapes, millions):
    definition = definition_of(model)
    settings = definition.settings()
    found = of_network(build_network(model, definition, settings, shapes, 2))
    assert found / 1e6 == pytest.approx(millions, rel=0.002)


def test_in_closed_form_each_matrix_is_multiplied_once():
    arrays = {"kernel": np.ones((145, 2)), "bias": np.ones(2)}
    assert of_matrices(arrays) == 290
