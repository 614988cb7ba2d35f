"""C3D: eight 3-D convolutions, five poolings, two dense layers on sixteen frames ("3D-CNN").

Nearly all of its 78 million parameters (312 MB, four times that in training with Adam) are the dense
layers': `fc_units` of 512 and 512 leave 32 million.

Source: Tran, Bourdev, Fergus, Torresani and Paluri 2015, section 3; paper 004, Table VIII, compares with it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, frames_input

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class C3DSettings:
    """Hyper-parameters.

    Attributes:
        blocks: channels of the convolutions of each block; a pooling ends it, the first one of space alone.
        fc_units: widths of the dense layers before the last.
        dropout: after each of them.
    """

    blocks: tuple[tuple[int, ...], ...] = ((64,), (128,), (256, 256), (512, 512), (512, 512))
    fc_units: tuple[int, ...] = (4096, 4096)
    dropout: float = 0.5


def build(settings: C3DSettings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) -> logits. Sizes of the paper at the right."""
    import keras

    frames, x = frames_input(shapes.of(("frames",))["frames"])
    return keras.Model(frames, classifier(head(convolutions(x, settings), settings), n_classes), name="c3d")


def convolutions(x: "keras.KerasTensor", settings: C3DSettings) -> "keras.KerasTensor":
    """Pixels (T, H, W, 3) in [0, 1] -> (T / 16, H / 32, W / 32, 512), each rounded up."""
    from keras import layers

    for b, widths in enumerate(settings.blocks, start=1):
        for c, filters in enumerate(widths, start=1):
            x = layers.Conv3D(filters, 3, padding="same", activation="relu", name=f"block{b}_conv{c}")(x)
        strides = (
            (1, 2, 2) if b == 1 else (2, 2, 2)
        )  # 16 x 112 -> 16 x 56 -> 8 x 28 -> 4 x 14 -> 2 x 7 -> 1 x 4
        x = layers.MaxPooling3D(strides, padding="same", name=f"block{b}_pool")(x)
    return x


def head(x: "keras.KerasTensor", settings: C3DSettings) -> "keras.KerasTensor":
    """Features (1, 4, 4, 512) -> (fc_units[-1],)."""
    from keras import layers

    x = layers.Flatten(name="flatten")(x)  # (8192,)
    for k, width in enumerate(settings.fc_units, start=1):  # (4096,), (4096,)
        x = layers.Dense(width, activation="relu", name=f"fc_{k}")(x)
        x = layers.Dropout(settings.dropout, name=f"fc_{k}_dropout")(x)
    return x


MODEL = KerasDefinition(
    title="C3D (3D-CNN)",
    source="Tran et al. 2015, 3; paper 004, Table VIII",
    kind="clips",
    streams=("frames",),
    settings=C3DSettings,
    parameters=77_999_873,
    paper_shapes=InputShapes(frames=(16, 112, 112, 3)),
    build=build,
)
