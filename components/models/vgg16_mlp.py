"""VGG16 on single frames fused with an MLP on the frame's 29 numbers ("CNN-MLP").

Source: paper 000, IV-B and Table 2: VGG16, "three other fully connected layers" for the numbers, fused as in
the proposed model.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import Activation, classifier, frames_input, fuse, mlp_stream, numbers_input
from components.models.vgg16 import VGG16Settings, backbone, head, initialise

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class VGG16MLPSettings(VGG16Settings):
    """Hyper-parameters: those of VGG16 and some more.

    Attributes:
        bottleneck_units, bottleneck_activation: of the pictures' stream, as in the proposed model.
        mlp_units: widths of the numbers' stream.
        fusion_units: widths after the streams are joined.
    """

    bottleneck_units: int = 4
    bottleneck_activation: Activation = "relu"
    mlp_units: tuple[int, ...] = (64, 16, 4)
    fusion_units: tuple[int, ...] = (16, 8)


def build(settings: VGG16MLPSettings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: one frame (H, W, 3) and its numbers (29,) -> logits."""
    import keras
    from keras import layers

    wanted = shapes.of(("frames", "numbers"))
    frames, pixels = frames_input(wanted["frames"][1:])
    features = head(backbone(pixels, settings), settings)  # (64,)
    stream_1 = layers.Dense(
        settings.bottleneck_units, activation=settings.bottleneck_activation, name="stream_1"
    )(features)  # (4,)

    numbers = numbers_input(wanted["numbers"][1:])
    stream_2 = mlp_stream(numbers, settings.mlp_units, settings.bottleneck_activation)  # (29,) -> (4,)

    joined = fuse([stream_1, stream_2], settings.fusion_units)  # (4,) + (4,) -> (8,) -> (16,) -> (8,)
    return keras.Model(
        {"frames": frames, "numbers": numbers}, classifier(joined, n_classes), name="vgg16_mlp"
    )


MODEL = KerasDefinition(
    title="VGG16 and MLP fused, on single frames (CNN-MLP)",
    source="paper 000, Table 2",
    kind="frames",
    streams=("frames", "numbers"),
    settings=VGG16MLPSettings,
    parameters=16_832_121,
    build=build,
    initialise=initialise,
    bottlenecks=("stream_1", "stream_2"),
)
