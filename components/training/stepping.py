"""One step of gradient descent on a batch, compiled once for every batch size."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core.errors import ResourceError
from components.models.networks import as_inputs
from components.training.data import Batch
from components.training.settings import TrainSettings

if TYPE_CHECKING:
    import keras

Step = Callable[[Batch], tuple[float, int]]


def build_optimizer(settings: TrainSettings) -> "keras.optimizers.Optimizer":
    """Adam; `inverse_time` gives learning_rate / (1 + decay * t) after t updates.

    Keras 3 takes Adam(decay=...) and ignores it, so the schedule is spelt out.
    """
    import keras

    rate: Any = settings.learning_rate
    if settings.lr_decay_kind == "inverse_time":
        rate = keras.optimizers.schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=settings.decay)
    shrink = settings.decay if settings.lr_decay_kind == "weight_decay" else None
    return keras.optimizers.Adam(rate, weight_decay=shrink)


def learning_rate(optimizer: "keras.optimizers.Optimizer") -> float:
    """The rate of the next step."""
    return float(np.asarray(optimizer.learning_rate))


def build_step(network: "keras.Model", optimizer: "keras.optimizers.Optimizer") -> Step:
    """A function of a batch that updates the weights; gives the weighted loss and how many were right.

    Plain graph mode: on two cores XLA made the fusion network's step ten times slower, and the LSTMs written
    out over their five frames no faster.
    """
    import tensorflow as tf

    optimizer.build(network.trainable_variables)
    inputs = {
        tensor.name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in network.inputs
    }
    signature = [inputs, tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None,), tf.float32)]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def descend(inputs: dict[str, Any], labels: Any, weights: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            logits = network(as_inputs(network, inputs), training=True)
            loss = tf.reduce_mean(weights * cross_entropy(labels, logits))
            total = tf.add_n([loss, *network.losses])
        gradients = tape.gradient(total, network.trainable_variables)
        optimizer.apply(gradients, network.trainable_variables)
        return total, tf.reduce_sum(tf.cast(_chosen(logits) == labels, tf.int64))

    def step(batch: Batch) -> tuple[float, int]:
        try:
            loss, correct = descend(batch.inputs, batch.labels, batch.weights)
        except tf.errors.ResourceExhaustedError as error:
            raise ResourceError(
                f"A batch of {len(batch.labels)} does not fit into memory",
                wanted="memory for one training step",
                remedy="lower the model's train.batch in params.yaml",
            ) from error
        return float(loss), int(correct)

    return step


def cross_entropy(labels: Any, logits: Any) -> Any:
    """Loss (B,) of labels (B,) and logits (B, 1), of a sigmoid, or (B, K), of a softmax."""
    import tensorflow as tf

    if logits.shape[-1] == 1:
        return tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels, logits.dtype), logits[:, 0])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def _chosen(logits: Any) -> Any:
    import tensorflow as tf

    if logits.shape[-1] == 1:
        return tf.cast(logits[:, 0] > 0, tf.int64)
    return tf.argmax(logits, axis=-1)
