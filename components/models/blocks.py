"""Building blocks that architectures share. Shapes without the axis of clips N."""

from typing import TYPE_CHECKING, Literal

from components.models.logits import n_logits

if TYPE_CHECKING:
    from keras import KerasTensor

Activation = Literal["relu", "leaky_relu", "tanh"]


def frames_input(shape: tuple[int, ...]) -> tuple["KerasTensor", "KerasTensor"]:
    """Input `frames` of uint8 pixels, and the same as float in [0, 1]."""
    from keras import layers

    pixels = layers.Input(shape, dtype="uint8", name="frames")
    return pixels, layers.Rescaling(1 / 255, name="scaled")(pixels)


def numbers_input(shape: tuple[int, ...]) -> "KerasTensor":
    """Input `numbers`, standardised, missing ones 0."""
    from keras import layers

    return layers.Input(shape, dtype="float32", name="numbers")


def convlstm_block(
    x: "KerasTensor", filters: int, kernel: int, recurrent_dropout: float, dropout: float, name: str
) -> "KerasTensor":
    """ConvLSTM2D, pooling over space, dropout: (T, H, W, C) -> (T, ceil((H - kernel + 1) / 2), ..., filters).

    The paper's TimeDistributed(Dropout) is a plain Dropout: it draws each element's mask anew in either form,
    and Keras 3 writes TimeDistributed out as a loop over T.
    """
    from keras import layers

    x = layers.ConvLSTM2D(
        filters,
        kernel,
        activation="tanh",
        padding="valid",
        return_sequences=True,
        recurrent_dropout=recurrent_dropout,
        name=name,
    )(x)
    x = layers.MaxPooling3D((1, 2, 2), padding="same", name=f"{name}_pool")(x)
    return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x


def dense_stack(x: "KerasTensor", units: tuple[int, ...], name: str) -> "KerasTensor":
    """Dense ReLU layers `name_1`, `name_2`, ..."""
    from keras import layers

    for k, width in enumerate(units, start=1):
        x = layers.Dense(width, activation="relu", name=f"{name}_{k}")(x)
    return x


def mlp_stream(x: "KerasTensor", units: tuple[int, ...], bottleneck_activation: Activation) -> "KerasTensor":
    """Stream 2, the MLP on the numbers: (T, D) or (D,) -> (units[-1],)."""
    from keras import layers

    x = layers.Flatten(name="numbers_flat")(x)  # (5, 29) -> (145,)
    x = dense_stack(x, units[:-1], "mlp")
    return layers.Dense(units[-1], activation=bottleneck_activation, name="stream_2")(x)


def fuse(streams: list["KerasTensor"], units: tuple[int, ...]) -> "KerasTensor":
    """Streams side by side, then dense ReLU layers."""
    from keras import layers

    return dense_stack(layers.Concatenate(name="fusion")(streams), units, "fusion")


def classifier(x: "KerasTensor", n_classes: int) -> "KerasTensor":
    """Logits: 1 for two classes, else K; float32 under any precision."""
    from keras import layers

    return layers.Dense(n_logits(n_classes), dtype="float32", name="logits")(x)
