"""Fusion of a ConvLSTM on five frames with an MLP on the 29 numbers of each ("CNN-LSTM-MLP", proposed).

Source: paper 000, III-I and Figure 6. Widths of the MLP's first two and of the fusion's two layers, which it
does not give, are ours.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, frames_input, fuse, mlp_stream, numbers_input
from components.models.convlstm import ConvLSTMSettings, stream

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class FusionSettings(ConvLSTMSettings):
    """Hyper-parameters: those of stream 1 and some more.

    Attributes:
        mlp_units: widths of stream 2.
        fusion_units: widths after the streams are joined.
    """

    mlp_units: tuple[int, ...] = (64, 16, 4)
    fusion_units: tuple[int, ...] = (16, 8)


def build(settings: FusionSettings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) and numbers (T, 29) -> logits."""
    import keras

    wanted = shapes.of(("frames", "numbers"))
    frames, pixels = frames_input(wanted["frames"])
    stream_1 = stream(pixels, settings)  # (4,)

    numbers = numbers_input(wanted["numbers"])
    stream_2 = mlp_stream(numbers, settings.mlp_units, settings.bottleneck_activation)  # (5, 29) -> (4,)

    joined = fuse([stream_1, stream_2], settings.fusion_units)  # (4,) + (4,) -> (8,) -> (16,) -> (8,)
    return keras.Model({"frames": frames, "numbers": numbers}, classifier(joined, n_classes), name="fusion")


MODEL = KerasDefinition(
    title="ConvLSTM and MLP fused (CNN-LSTM-MLP)",
    source="paper 000, III-I",
    kind="clips",
    streams=("frames", "numbers"),
    settings=FusionSettings,
    parameters=4_062_945,
    build=build,
    bottlenecks=("stream_1", "stream_2"),
)
