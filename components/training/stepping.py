"""One step of gradient descent on a batch, compiled once for every batch size."""

import logging
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core.errors import FinalError
from components.models.networks import as_inputs, traced
from components.training.data import Batch
from components.training.settings import TrainSettings

if TYPE_CHECKING:
    import keras

log = logging.getLogger("tailwatch")

SGD_MOMENTUM = 0.9


def build_optimizer(settings: TrainSettings) -> "keras.optimizers.Optimizer":
    """The optimizer; `inverse_time` gives learning_rate / (1 + decay * t) after t updates.

    Keras 3 takes `decay` and ignores it, so the schedule is spelt out.
    """
    optimizer = _optimizer(settings)
    # What Keras adds to a step to sum over replicas, here one, is a tf.custom_gradient. TensorFlow registers
    # that for ever, and with it the graph of the step and all variables: every fold's network would stay.
    optimizer._all_reduce_sum_gradients = lambda of_variables: of_variables
    return optimizer


def _optimizer(settings: TrainSettings) -> "keras.optimizers.Optimizer":
    import keras

    rate: Any = settings.learning_rate
    if settings.lr_decay_kind == "inverse_time":
        rate = keras.optimizers.schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=settings.decay)
    shrink = settings.decay if settings.lr_decay_kind == "weight_decay" else None
    if settings.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=SGD_MOMENTUM, weight_decay=shrink)
    adaptive = {
        "adam": keras.optimizers.Adam,
        "rmsprop": keras.optimizers.RMSprop,
        "adagrad": keras.optimizers.Adagrad,
    }
    return adaptive[settings.optimizer](rate, weight_decay=shrink)


def learning_rate(optimizer: "keras.optimizers.Optimizer") -> float:
    """The rate of the next step."""
    return float(np.asarray(optimizer.learning_rate))


class Stepper:
    """Updates a network's weights by one batch at a time.

    A batch that does not fit into memory is learned from in parts whose gradients are added up, so that the
    update stays that of the whole batch, but for batch normalisation, which then has the means of a part. The
    batch of a loss that needs it whole is not divided. Plain graph mode: on two cores XLA made the fusion
    network's step ten times slower, and the LSTMs written out over their five frames no faster.

    Args:
        loss, loss_needs_batch: as of `KerasDefinition`.

    Attributes:
        parts: into how many a batch is divided.
    """

    def __init__(
        self,
        network: "keras.Model",
        optimizer: "keras.optimizers.Optimizer",
        loss: Callable[[Any, Any], Any] | None = None,
        loss_needs_batch: bool = False,
    ) -> None:
        import tensorflow as tf

        optimizer.build(network.trainable_variables)
        self.parts = 1
        self._network, self._optimizer, self._loss = network, optimizer, loss
        self._needs_batch = loss_needs_batch
        self._sums: list[Any] = []
        inputs = {
            tensor.name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in network.inputs
        }
        self._signature = (inputs, tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None,), tf.float32))

    def __call__(self, batch: Batch) -> tuple[float, int | None]:
        """The weighted loss of the batch before its update, and how many samples were right.

        None is right under a loss that is not that of logits.

        Raises:
            FinalError: not even a single sample fits into memory, or not the batch that a loss needs.
        """
        import tensorflow as tf

        while True:
            try:
                loss, correct = self._whole(batch) if self.parts == 1 else self._in_parts(batch)
                return loss, correct if self._loss is None else None
            except (tf.errors.ResourceExhaustedError, MemoryError) as error:
                self._divide_more(batch, error)

    def _whole(self, batch: Batch) -> tuple[float, int]:
        loss, correct = self._descend_traced(batch.inputs, batch.labels, batch.weights)
        return float(loss), int(correct)

    def _in_parts(self, batch: Batch) -> tuple[float, int]:
        self._empty_sums()
        loss, correct = 0.0, 0
        for part in batch.divided(self.parts):
            share = len(part.labels) / len(batch.labels)
            of_part, right = self._gather_traced(part.inputs, part.labels, part.weights, np.float32(share))
            loss, correct = loss + share * float(of_part), correct + int(right)
        self._optimizer.apply([kept.value() for kept in self._sums], self._network.trainable_variables)
        return loss, correct

    def _divide_more(self, batch: Batch, error: Exception) -> None:
        size, name = len(batch.labels), self._network.name
        if self._needs_batch:
            raise FinalError(
                f"A batch of {size} of {name} does not fit into memory, and its loss compares the samples",
                wanted="memory for one training step on a whole batch",
                remedy="lower the model's train.batch, or give the model a smaller view or a machine with "
                "more memory; a retry meets the same",
            ) from error
        if self.parts >= size:
            raise FinalError(
                f"A single sample of {name} does not fit into memory",
                wanted="memory for one training step",
                remedy="give the model a smaller view or a machine with more memory; a retry meets the same",
            ) from error
        self.parts *= 2
        log.warning(
            "%s: a batch of %d does not fit into memory and is learned from in %d parts",
            *(name, size, self.parts),
        )

    def _empty_sums(self) -> None:
        import tensorflow as tf

        if not self._sums:
            variables = self._network.trainable_variables
            self._sums = [
                tf.Variable(tf.zeros(kept.shape, kept.dtype), trainable=False) for kept in variables
            ]
        for kept in self._sums:
            kept.assign(tf.zeros_like(kept))

    @cached_property
    def _descend_traced(self) -> Callable[..., Any]:
        return traced(self._descend, *self._signature)

    @cached_property
    def _gather_traced(self) -> Callable[..., Any]:
        import tensorflow as tf

        return traced(self._gather, *self._signature, tf.TensorSpec((), tf.float32))

    def _descend(self, inputs: dict[str, Any], labels: Any, weights: Any) -> tuple[Any, Any]:
        gradients, loss, correct = self._gradients(inputs, labels, weights)
        self._optimizer.apply(gradients, self._network.trainable_variables)
        return loss, correct

    def _gather(self, inputs: dict[str, Any], labels: Any, weights: Any, share: Any) -> tuple[Any, Any]:
        gradients, loss, correct = self._gradients(inputs, labels, weights)
        for kept, gradient in zip(self._sums, gradients, strict=True):
            kept.assign_add(share * gradient)
        return loss, correct

    def _gradients(self, inputs: dict[str, Any], labels: Any, weights: Any) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        network = self._network
        with tf.GradientTape() as tape:
            outputs = network(as_inputs(network, inputs), training=True)
            losses = (self._loss or cross_entropy)(labels, outputs)
            loss = tf.reduce_mean(weights * losses)
            total = tf.add_n([loss, *network.losses])
        gradients = tape.gradient(total, network.trainable_variables)
        correct = tf.constant(0, tf.int64)
        if self._loss is None:
            correct = tf.reduce_sum(tf.cast(_chosen(outputs) == labels, tf.int64))
        return gradients, total, correct


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
