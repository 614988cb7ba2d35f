"""ConvGRU2D beside the equations of paper 004 in numpy, and what Keras asks of a layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.models.convgru2d import ConvGRU2D

N, T, H, W, C, FILTERS = 2, 4, 5, 6, 3, 7
X = np.random.default_rng(27).normal(0, 1, (N, T, H, W, C)).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def convolution(x, kernel, padding="same"):
    """Sum over the kernel's places, one by one."""
    k = kernel.shape[0]
    if padding == "same":
        x = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    height, width = x.shape[1] - k + 1, x.shape[2] - k + 1
    return sum(
        x[:, i : i + height, j : j + width] @ kernel[i, j].astype(np.float64)
        for i in range(k)
        for j in range(k)
    )


def states(layer, x, padding="same"):
    """Every h by the four equations."""
    wz, wr, wc = np.split(layer.kernel.numpy(), 3, axis=-1)
    uz, ur, uc = np.split(layer.recurrent_kernel.numpy(), 3, axis=-1)
    bz, br, bc = np.split(layer.bias.numpy(), 3)
    found = []
    for t in range(x.shape[1]):
        of_x = [convolution(x[:, t], w, padding) + b for w, b in ((wz, bz), (wr, br), (wc, bc))]
        h = found[-1] if found else np.zeros_like(of_x[0])
        z = sigmoid(of_x[0] + convolution(h, uz))
        r = sigmoid(of_x[1] + convolution(h, ur))
        of_h = r * convolution(h, uc) if layer.reset_after else convolution(r * h, uc)
        found.append(z * h + (1 - z) * np.tanh(of_x[2] + of_h))
    return np.stack(found, axis=1)


def built(shape=X.shape, **given):
    keras.utils.set_random_seed(27)
    layer = ConvGRU2D(FILTERS, **given)
    layer.build(shape)
    layer.bias.assign(np.linspace(-1, 1, 3 * FILTERS))
    return layer


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="reset before"),
        pytest.param({"reset_after": True}, id="reset after"),
        pytest.param({"padding": "valid"}, id="smaller than its input"),
        pytest.param({"kernel_size": 1}, id="no neighbours"),
        pytest.param({"kernel_size": 5}, id="five pixels wide"),
    ],
)
def test_the_equations(given):
    layer = built(return_sequences=True, **given)
    wanted = states(layer, X, given.get("padding", "same"))
    np.testing.assert_allclose(layer(X), wanted, rtol=0, atol=1e-5)
    assert layer.compute_output_shape(X.shape) == wanted.shape
    last = ConvGRU2D(FILTERS, **given)
    last.build(X.shape)
    last.set_weights(layer.get_weights())
    np.testing.assert_allclose(last(X), wanted[:, -1], rtol=0, atol=1e-5)
    assert last.compute_output_shape(X.shape) == wanted[:, -1].shape


def test_one_step_of_one_frame():
    layer = built(shape=(N, 1, H, W, C))
    np.testing.assert_allclose(layer(X[:, :1]), states(layer, X[:, :1])[:, 0], rtol=0, atol=1e-5)


def test_a_quarter_fewer_parameters_than_convlstm():
    """What paper 004 says in section II and in Table IX."""
    ours, theirs = ConvGRU2D(256), keras.layers.ConvLSTM2D(256, 3, padding="same")
    for layer in (ours, theirs):
        layer.build((None, 20, 4, 4, 128))
    assert ours.count_params() == 2_654_976
    assert theirs.count_params() == 3_539_968
    assert 4 * ours.count_params() == 3 * theirs.count_params()


def test_the_gradient_is_that_of_the_equations():
    """By differences of a loss that numpy computes, in a few places of each weight."""
    layer = built(shape=(1, 3, 4, 4, 2))
    x = X[:1, :3, :4, :4, :2]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) ** 2)
    gradients = tape.gradient(loss, layer.trainable_variables)
    rng, step = np.random.default_rng(1), 1e-2
    for k, gradient in enumerate(gradients):
        flat = np.asarray(gradient).ravel()
        for place in rng.integers(0, flat.size, 4):
            slope = (loss_at(layer, x, k, place, step) - loss_at(layer, x, k, place, -step)) / (2 * step)
            assert flat[place] == pytest.approx(slope, abs=2e-3)


def loss_at(layer, x, k, place, step):
    weight = layer.trainable_variables[k]
    before = weight.numpy()
    moved = before.copy()
    moved.ravel()[place] += step
    weight.assign(moved)
    loss = (states(layer, x)[:, -1] ** 2).sum()
    weight.assign(before)
    return loss


def test_saved_and_loaded_it_says_the_same(tmp_path):
    settings = {
        "kernel_size": 5,
        "return_sequences": True,
        "reset_after": True,
        "dropout": 0.1,
        "recurrent_dropout": 0.2,
        "kernel_initializer": "he_uniform",
    }
    inputs = keras.Input(X.shape[1:])
    network = keras.Model(inputs, ConvGRU2D(FILTERS, **settings)(inputs))
    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(again(X), network(X))
    config = again.layers[-1].get_config()
    assert {name: config[name] for name in list(settings)[:-1]} == dict(list(settings.items())[:-1])
    assert again.layers[-1].kernel_initializer.__class__ is keras.initializers.HeUniform


@pytest.mark.parametrize("share", ["dropout", "recurrent_dropout"])
def test_training_varies_by_dropout_and_asking_does_not(share):
    layer = built(**{share: 0.5})
    assert np.abs(layer(X, training=True) - layer(X, training=True)).max() > 1e-3
    np.testing.assert_array_equal(layer(X), built()(X))


def test_what_is_dropped_of_the_input_is_dropped_at_every_step():
    """Without U and under one mask, h goes the same share z of its way to one c at each step."""
    layer = built(dropout=0.5, return_sequences=True)
    layer.recurrent_kernel.assign(np.zeros(layer.recurrent_kernel.shape))
    h = np.asarray(layer(np.ones_like(X), training=True))
    first, second = h[:, 1] - h[:, 0], h[:, 2] - h[:, 1]
    np.testing.assert_allclose(h[:, 0] * second, first**2, rtol=0, atol=1e-6)


def test_a_compiled_step_learns_under_mixed_precision():
    layer = ConvGRU2D(FILTERS, dtype="mixed_bfloat16", recurrent_dropout=0.2)
    layer.build(X.shape)
    optimizer = keras.optimizers.Adam(1e-2)
    optimizer.build(layer.trainable_variables)

    @tf.function(input_signature=[tf.TensorSpec((None, T, H, W, C))])
    def step(x):
        with tf.GradientTape() as tape:
            given = layer(x, training=True)
            loss = tf.reduce_mean((tf.cast(given, tf.float32) - 0.5) ** 2)
        optimizer.apply(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables)
        return loss

    losses = [float(step(X)) for _ in range(30)]
    assert layer(X).dtype == tf.bfloat16
    assert {variable.dtype for variable in layer.trainable_variables} == {"float32"}
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    "shape",
    [pytest.param((None, None, 4, 4, 3), id="unknown T"), pytest.param((None, 4, 4, 3), id="no T")],
)
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="of known T"):
        ConvGRU2D(2).build(shape)
