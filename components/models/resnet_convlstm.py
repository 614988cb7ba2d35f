"""ConvLSTM over the features of a backbone: what paper 004 compares its ConvGRU with ("CNN-RNN").

Source: paper 004, Tables VIII and IX (there: Vosta and Yow 2022). All but the recurrence is that of
`resnet_convgru`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.models.backbones import initialise
from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, frames_input
from components.models.resnet_convgru import BOTTLENECK, PAPER_004, RecurrentMapsSettings, head, maps

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ResNetConvLSTMSettings(RecurrentMapsSettings):
    """Hyper-parameters: those of the maps and the head, and one of the ConvLSTM.

    Attributes:
        recurrent_dropout: share of a state dropped where it is convolved.
    """

    recurrent_dropout: float = 0.0


def build(settings: ResNetConvLSTMSettings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) -> logits."""
    import keras
    from keras import layers

    frames, pixels = frames_input(shapes.of(("frames",))["frames"])
    state = layers.ConvLSTM2D(
        settings.filters,
        settings.kernel,
        padding="same",
        recurrent_dropout=settings.recurrent_dropout,
        kernel_initializer=settings.initializer,
        name="convlstm",
    )(maps(pixels, settings))  # (20, 4, 4, 128) -> (4, 4, 256)
    return keras.Model(frames, classifier(head(state, settings), n_classes), name="resnet_convlstm")


MODEL = KerasDefinition(
    title="ResNet-50 and ConvLSTM (CNN-RNN)",
    source="paper 004, Tables VIII and IX",
    kind="clips",
    streams=("frames",),
    settings=ResNetConvLSTMSettings,
    parameters=28_415_517,
    paper_shapes=PAPER_004,
    build=build,
    initialise=initialise,
    bottlenecks=(BOTTLENECK,),
)
