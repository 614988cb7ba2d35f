"""Convolutional autoencoder whose channels are the frames of a clip, which has learned normal clips alone.

Source: Hasan et al., "Learning Temporal Regularity in Video Sequences", CVPR 2016, Figure 2, quoted by paper
004, Table VIII. Ours: zero padding and nearest-neighbour enlarging, so that any side divisible by 16 fits.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.models.autoencoders import (
    ClipScore,
    check_sides,
    euclidean_clip_score,
    frame_errors,
    grey_frames,
    mean_error,
)
from components.models.base import InputShapes, KerasDefinition

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ConvAutoencoderSettings:
    """Hyper-parameters.

    Attributes:
        filters: of the three convolutions in, mirrored on the way out.
        clip_score: how a clip's score follows from its frames'.
    """

    filters: tuple[int, int, int] = (512, 256, 128)
    clip_score: ClipScore = "mean"


def build(settings: ConvAutoencoderSettings, shapes: InputShapes, _n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) -> errors (T,). Sizes for 10 x 224 x 224 at the right.

    Raises:
        UsageError: sides that are no multiples of 16.
    """
    import keras
    from keras import layers

    shape = shapes.of(("frames",))["frames"]
    check_sides("conv_autoencoder", shape, 16)
    first, second, third = settings.filters
    frames, grey = grey_frames(shape)
    channels = keras.ops.transpose(grey[..., 0], (0, 2, 3, 1))  # (224, 224, 10)

    def convolution(x: "keras.KerasTensor", filters: int, kernel: int, name: str, stride: int = 1):  # type: ignore[no-untyped-def]
        return layers.Conv2D(filters, kernel, stride, padding="same", activation="tanh", name=name)(x)

    x = convolution(channels, first, 11, "in_1", stride=4)  # (56, 56, 512)
    x = layers.MaxPooling2D(2, name="pool_1")(x)  # (28, 28, 512)
    x = convolution(x, second, 5, "in_2")
    x = layers.MaxPooling2D(2, name="pool_2")(x)  # (14, 14, 256)
    x = convolution(x, third, 3, "in_3")
    x = convolution(x, third, 3, "out_3")
    x = layers.UpSampling2D(2, name="enlarge_2")(x)  # (28, 28, 128)
    x = convolution(x, second, 3, "out_2")
    x = layers.UpSampling2D(2, name="enlarge_1")(x)  # (56, 56, 256)
    x = convolution(x, first, 5, "out_1")
    rebuilt = layers.Conv2DTranspose(shape[0], 11, 4, padding="same", name="rebuilt")(x)  # (224, 224, 10)
    back = keras.ops.expand_dims(keras.ops.transpose(rebuilt, (0, 3, 1, 2)), -1)
    return keras.Model(frames, frame_errors(grey, back), name="conv_autoencoder")


MODEL = KerasDefinition(
    title="convolutional autoencoder",
    source="paper 004, Table VIII (Hasan et al. 2016)",
    kind="anomaly",
    streams=("frames",),
    settings=ConvAutoencoderSettings,
    parameters=8_531_722,
    paper_shapes=InputShapes(frames=(10, 224, 224, 3)),
    learns_from="normal",
    clip_score=euclidean_clip_score,
    build=build,
    loss=mean_error,
)
