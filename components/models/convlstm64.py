"""ConvLSTM on twenty frames of 64 pixels, straight to the classes: the second network of paper 002.

Source: paper 002, Table 2. Dropout between blocks, and none after the last, is that of the tutorial that
lrcn.py names, which has the table's other values.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, convlstm_block, frames_input

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ConvLSTM64Settings:
    """Hyper-parameters.

    Attributes:
        filters: channels of each block.
        kernel: side of the square kernels in pixels.
        recurrent_dropout: share of a state's inputs dropped.
        time_dropout: share dropped after each block but the last.
    """

    filters: tuple[int, ...] = (4, 8, 14, 16)
    kernel: int = 3
    recurrent_dropout: float = 0.2
    time_dropout: float = 0.2


def build(settings: ConvLSTM64Settings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) -> logits. Sizes of the paper at the right."""
    import keras
    from keras import layers

    frames, x = frames_input(shapes.of(("frames",))["frames"])
    last = len(settings.filters)
    for k, filters in enumerate(settings.filters, start=1):
        dropout = settings.time_dropout if k < last else 0.0
        x = convlstm_block(
            x, filters, settings.kernel, settings.recurrent_dropout, dropout, f"convlstm_{k}"
        )  # 64 -> 62 -> 31 -> 29 -> 15 -> 13 -> 7 -> 5 -> 3
    x = layers.Flatten(name="flatten")(x)  # (20, 3, 3, 16) -> (2880,)
    return keras.Model(frames, classifier(x, n_classes), name="convlstm64")


MODEL = KerasDefinition(
    title="ConvLSTM on twenty small frames",
    source="paper 002, Table 2",
    kind="clips",
    streams=("frames",),
    settings=ConvLSTM64Settings,
    parameters=35_881,
    paper_shapes=InputShapes(frames=(20, 64, 64, 3)),
    build=build,
)
