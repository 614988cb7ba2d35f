"""Products of a TFLite network are those of the Keras network that it was made from."""

from components.core import litert
from components.models.multiply_adds import of_network


def test_products_are_counted_as_in_keras(tmp_path, monkeypatch):
    import keras
    import tensorflow as tf
    from keras import layers

    frames = keras.Input((16, 24, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(frames)
    x = layers.ReLU()(layers.DepthwiseConv2D(3, padding="same")(x))
    network = keras.Model(frames, layers.Conv2D(5, 1)(x))
    path = tmp_path / "network.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())
    monkeypatch.setattr(litert, "locate", lambda _name: path)
    assert litert.Probe("network", ()).multiply_adds() == of_network(network)
