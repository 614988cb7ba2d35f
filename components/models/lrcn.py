"""LRCN: convolutions of every frame, an LSTM over what they say ("RCLSTM", "LRSTM").

Source: paper 002, Table 2. The fourth block, poolings, dropout between blocks and the LSTM's width are those
of a tutorial that has the table's other values: Anwar, Naeem, Anjum, "Human Activity Recognition using
TensorFlow (CNN + LSTM)", Bleed AI, 2021.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.core.errors import UsageError
from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, frames_input

if TYPE_CHECKING:
    import keras

PAPER_002 = InputShapes(frames=(20, 64, 64, 3))


@dataclass(frozen=True)
class LRCNSettings:
    """Hyper-parameters.

    Attributes:
        filters: channels of each block.
        pools: side of each block's pooling; another public form has 4, 2, 2, 2.
        kernel: side of the square kernels in pixels.
        dropout: share dropped after each block but the last.
        lstm_units: width of the LSTM.
    """

    filters: tuple[int, ...] = (16, 32, 64, 64)
    pools: tuple[int, ...] = (4, 4, 2, 2)
    kernel: int = 3
    dropout: float = 0.25
    lstm_units: int = 32

    def __post_init__(self) -> None:
        if len(self.filters) != len(self.pools):
            raise UsageError(
                f"filters: {list(self.filters)} with pools: {list(self.pools)}",
                wanted="one pooling for each block",
                remedy="correct filters or pools of lrcn, or of cnn_lstm's scratch, in params.yaml",
            )

    @property
    def min_side(self) -> int:
        """The fewest pixels of a frame's side."""
        side = 1
        for pool in self.pools:
            side *= pool
        return side


def frame_convolutions(x: "keras.KerasTensor", settings: LRCNSettings) -> "keras.KerasTensor":
    """Pixels (T, H, W, 3) in [0, 1] -> (T, F). Sizes of the paper at the right."""
    from keras import layers

    from components.models.folding import FoldTime, UnfoldTime

    frames, last = x.shape[1], len(settings.filters)
    x = FoldTime(name="fold_time")(x)
    for k, (filters, pool) in enumerate(zip(settings.filters, settings.pools, strict=True), start=1):
        x = layers.Conv2D(filters, settings.kernel, padding="same", activation="relu", name=f"conv_{k}")(x)
        x = layers.MaxPooling2D(pool, name=f"conv_{k}_pool")(x)  # 64 -> 16 -> 4 -> 2 -> 1
        if k < last:
            x = layers.Dropout(settings.dropout, name=f"conv_{k}_dropout")(x)
    x = layers.Flatten(name="flatten")(x)  # (64,)
    return UnfoldTime(frames, name="unfold_time")(x)  # (20, 64)


def build(settings: LRCNSettings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) -> logits."""
    import keras
    from keras import layers

    frames, pixels = frames_input(shapes.of(("frames",))["frames"])
    x = layers.LSTM(settings.lstm_units, name="lstm")(frame_convolutions(pixels, settings))  # (32,)
    return keras.Model(frames, classifier(x, n_classes), name="lrcn")


MODEL = KerasDefinition(
    title="LRCN: convolutions of each frame, then an LSTM",
    source="paper 002, Table 2",
    kind="clips",
    streams=("frames",),
    settings=LRCNSettings,
    parameters=72_961,
    paper_shapes=PAPER_002,
    build=build,
)
