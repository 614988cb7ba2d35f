"""ConvGRU2D: a gated recurrent unit whose products are convolutions; Keras has none.

Imports Keras, so an architecture imports this module in its `build`, never above.
"""

from typing import Any

import keras
from keras import ops

GATES = 3  # update z, reset r, candidate c, in this order along the last axis of every weight


@keras.saving.register_keras_serializable(package="tailwatch")
class ConvGRU2D(keras.layers.Layer):
    """A convolutional GRU: (N, T, H, W, C) -> (N, H, W, filters), or (N, T, H, W, filters).

        z = sigmoid(Wz * x + Uz * h + bz)
        r = sigmoid(Wr * x + Ur * h + br)
        c = tanh(Wc * x + Uc * (r . h) + bc)
        h = z . h + (1 - z) . c

    The convolutions of x, of all gates and all steps, are done before the recurrence, which carries those of
    h alone, written out over T. Kernels are cut by gate once, not at each step, and what was convolved is
    not cut by gate at all: the gradient of a cut is as large as its whole. The first step has no h.

    Its arguments are those of Keras' ConvLSTM2D, and `reset_after` of its GRU, also where no network of ours
    gives them.

    Args:
        filters: channels of h.
        kernel_size: side of the square kernels in pixels.
        padding: of the convolution of x; that of h keeps its size.
        return_sequences: whether every step's h is given, or the last one's.
        reset_after: c = tanh(Wc * x + r . (Uc * h) + bc), which needs one convolution of h instead of two.
        dropout: share of x dropped in training, the same elements at every step.
        recurrent_dropout: share of h dropped where it is convolved, the same elements at every step.
        kernel_initializer: of W.
        recurrent_initializer: of U.

    Raises:
        ValueError: T is unknown, or the input has not five axes.

    Source: paper 004, equations (5) to (8), whose (8) weighs c by 1 - r where it must be 1 - z, and whose
    (7) has the bias of z.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        padding: str = "same",
        return_sequences: bool = False,
        reset_after: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.padding = filters, kernel_size, padding
        self.return_sequences, self.reset_after = return_sequences, reset_after
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel (k, k, C, 3 F), recurrent_kernel (k, k, F, 3 F) and bias (3 F,) of F filters."""
        if len(input_shape) != 5 or input_shape[1] is None:
            raise ValueError(f"ConvGRU2D wants (N, T, H, W, C) of known T, not {input_shape}")
        square, width = (self.kernel_size, self.kernel_size), GATES * self.filters
        self.kernel = self.add_weight(
            name="kernel", shape=(*square, input_shape[-1], width), initializer=self.kernel_initializer
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(*square, self.filters, width),
            initializer=self.recurrent_initializer,
        )
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The recurrence; `training` alone decides whether anything is dropped."""
        if training and self.dropout:
            inputs = keras.random.dropout(
                inputs, self.dropout, noise_shape=(None, 1, None, None, None), seed=self.seed_generator
            )
        of_zr, of_c = self._convolved(inputs)
        h = self._first(of_zr[0], of_c[0])
        mask = self._mask(h) if training and self.recurrent_dropout else None
        kernels = self._kernels()
        states = [h]
        for x_zr, x_c in zip(of_zr[1:], of_c[1:], strict=True):
            h = self._step(h, h if mask is None else h * mask, x_zr, x_c, kernels)
            states.append(h)
        return ops.stack(states, axis=1) if self.return_sequences else h

    def _convolved(self, inputs: Any) -> tuple[list[Any], list[Any]]:
        """W * x + b by step: of z and r, (N, H, W, 2 filters), and of c, (N, H, W, filters)."""
        by_time = ops.moveaxis(inputs, 1, 0)  # (T, N, H, W, C), so that each step's part lies in one piece
        steps, _, height, width, channels = by_time.shape
        folded = ops.reshape(by_time, (-1, height, width, channels))  # (T N, H, W, C)
        found = []
        for gates in (slice(None, 2 * self.filters), slice(2 * self.filters, None)):
            part = ops.conv(folded, self.kernel[..., gates], padding=self.padding) + self.bias[gates]
            found.append(ops.unstack(ops.reshape(part, (steps, -1, *part.shape[1:])), steps))
        return found[0], found[1]

    def _kernels(self) -> tuple[Any, ...]:
        if self.reset_after:
            return (ops.convert_to_tensor(self.recurrent_kernel),)
        two = 2 * self.filters
        return self.recurrent_kernel[..., :two], self.recurrent_kernel[..., two:]

    def _first(self, x_zr: Any, x_c: Any) -> Any:
        z, _ = ops.split(ops.sigmoid(x_zr), 2, axis=-1)
        return (1 - z) * ops.tanh(x_c)

    def _step(self, h: Any, seen: Any, x_zr: Any, x_c: Any, kernels: tuple[Any, ...]) -> Any:
        """The next h; `seen` is h as the convolutions see it."""
        if self.reset_after:
            u = ops.conv(seen, kernels[0], padding="same")
            z, r = ops.split(ops.sigmoid(x_zr + u[..., : 2 * self.filters]), 2, axis=-1)
            c = ops.tanh(x_c + r * u[..., 2 * self.filters :])
        else:
            z, r = ops.split(ops.sigmoid(x_zr + ops.conv(seen, kernels[0], padding="same")), 2, axis=-1)
            c = ops.tanh(x_c + ops.conv(r * seen, kernels[1], padding="same"))
        return c + z * (h - c)

    def _mask(self, h: Any) -> Any:
        return keras.random.dropout(ops.ones_like(h), self.recurrent_dropout, seed=self.seed_generator)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of what is given."""
        batch, steps, *space, _ = input_shape
        lost = self.kernel_size - 1 if self.padding == "valid" else 0
        given = [None if side is None else side - lost for side in space]
        time = (steps,) if self.return_sequences else ()
        return (batch, *time, *given, self.filters)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "padding": self.padding,
            "return_sequences": self.return_sequences,
            "reset_after": self.reset_after,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }
