"""ConvLSTM on five frames: stream 1 of the fusion network, alone ("CNN-LSTM", "proposed without fusion").

Source: paper 000, III-I.1 and Table 2. Its 3920 flat values need 16 channels in block 4 (5 x 7 x 7 x 16). The
channels of block 3, and that dropout is what each block's TimeDistributed layer holds, it does not say; they
are those of convlstm64.py, whose blocks begin alike.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import Activation, classifier, convlstm_block, frames_input

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ConvLSTMSettings:
    """Hyper-parameters.

    Attributes:
        filters: channels of each block.
        kernel: side of the square kernels in pixels.
        recurrent_dropout: share of a state's inputs dropped.
        time_dropout: share dropped after each block.
        time_dropout_last: whether the last block has one too.
        dense_units, dropout: of the layer after the blocks.
        bottleneck_units, bottleneck_activation: of the stream's output.
    """

    filters: tuple[int, ...] = (4, 8, 14, 16)
    kernel: int = 3
    recurrent_dropout: float = 0.2
    time_dropout: float = 0.2
    time_dropout_last: bool = True
    dense_units: int = 1024
    dropout: float = 0.5
    bottleneck_units: int = 4
    bottleneck_activation: Activation = "relu"


def stream(x: "keras.KerasTensor", settings: ConvLSTMSettings) -> "keras.KerasTensor":
    """Pixels (T, H, W, 3) in [0, 1] -> (bottleneck_units,). Sizes of the paper at the right."""
    from keras import layers

    last = len(settings.filters)
    for k, filters in enumerate(settings.filters, start=1):
        dropout = settings.time_dropout if k < last or settings.time_dropout_last else 0.0
        x = convlstm_block(
            x, filters, settings.kernel, settings.recurrent_dropout, dropout, f"convlstm_{k}"
        )  # 128 -> 126 -> 63 -> 61 -> 31 -> 29 -> 15 -> 13 -> 7
    x = layers.Flatten(name="flatten")(x)  # (5, 7, 7, 16) -> (3920,)
    x = layers.Dense(settings.dense_units, activation="relu", name="dense")(x)  # (1024,)
    x = layers.Dropout(settings.dropout, name="dense_dropout")(x)
    return layers.Dense(
        settings.bottleneck_units, activation=settings.bottleneck_activation, name="stream_1"
    )(x)  # (4,)


def build(settings: ConvLSTMSettings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) -> logits."""
    import keras

    frames, pixels = frames_input(shapes.of(("frames",))["frames"])
    return keras.Model(frames, classifier(stream(pixels, settings), n_classes), name="convlstm")


MODEL = KerasDefinition(
    title="ConvLSTM on five frames (CNN-LSTM)",
    source="paper 000, III-I.1",
    kind="clips",
    streams=("frames",),
    settings=ConvLSTMSettings,
    parameters=4_052_209,
    build=build,
    bottlenecks=("stream_1",),
)
