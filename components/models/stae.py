"""Spatio-temporal autoencoder on grey frames, which has learned normal clips alone.

One convolution and one pooling in, a recurrent layer over time, and back by nearest-neighbour enlarging. What
it rebuilds badly is not normal.

Source: paper 003, III-C and Figure 3. By III the frames are rebuilt, by III-C the next one is predicted:
`target` says which. Sizes and the form of the recurrent layers, which it does not give, are ours.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from components.core.errors import UsageError
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
class STAESettings:
    """Hyper-parameters.

    Attributes:
        target: the frames themselves, or each frame's successor.
        filters, kernel: of the spatial convolution.
        temporal_filters: of the two recurrent layers.
        clip_score: how a clip's score follows from its frames'.
    """

    target: Literal["reconstruct", "predict_next"] = "reconstruct"
    filters: int = 16
    kernel: int = 7
    temporal_filters: tuple[int, int] = (32, 16)
    clip_score: ClipScore = "mean"


def build(settings: STAESettings, shapes: InputShapes, _n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) -> errors (T,), or (T - 1,) for predict_next. Ours: 10 x 128 x 128.

    Raises:
        UsageError: odd sides, or a single frame without a successor.
    """
    import keras
    from keras import layers

    shape = shapes.of(("frames",))["frames"]
    check_sides("stae", shape, 2)
    frames, grey = grey_frames(shape)
    if settings.target == "predict_next":
        if shape[0] < 2:
            raise UsageError("stae predicts the next of 1 frame", wanted="2 frames", remedy="sample more")
        given, wanted = grey[:, :-1], grey[:, 1:]
    else:
        given = wanted = grey
    x = layers.Conv3D(
        settings.filters,
        (1, settings.kernel, settings.kernel),
        padding="same",
        activation="tanh",
        name="spatial",
    )(given)  # (10, 128, 128, 16)
    x = layers.MaxPooling3D((1, 2, 2), name="pool")(x)  # (10, 64, 64, 16)
    for k, width in enumerate(settings.temporal_filters, start=1):
        x = layers.ConvLSTM2D(width, 3, padding="same", return_sequences=True, name=f"temporal_{k}")(x)
    x = layers.UpSampling3D((1, 2, 2), name="enlarge")(x)  # (10, 128, 128, 16)
    rebuilt = layers.Conv3D(1, (1, settings.kernel, settings.kernel), padding="same", name="rebuilt")(x)
    return keras.Model(frames, frame_errors(wanted, rebuilt), name="stae")


MODEL = KerasDefinition(
    title="spatio-temporal autoencoder",
    source="paper 003, system (a)",
    kind="anomaly",
    streams=("frames",),
    settings=STAESettings,
    parameters=84_721,
    paper_shapes=InputShapes(frames=(10, 128, 128, 3)),
    learns_from="normal",
    clip_score=euclidean_clip_score,
    build=build,
    loss=mean_error,
)
