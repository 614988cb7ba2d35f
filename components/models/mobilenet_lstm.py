"""MobileNetV2 on every frame with an LSTM above: plain, in both directions, or with a skip connection.

Source: paper 002, Table 3, which only names the networks. Width 64 and the form of the skip connection
are ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from components.models.backbones import BackboneSettings, clip_features, initialise
from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, frames_input
from components.models.lrcn import PAPER_002

if TYPE_CHECKING:
    from keras import KerasTensor, Model

Head = Callable[["KerasTensor", int], "KerasTensor"]


@dataclass(frozen=True)
class MobileNetLSTMSettings(BackboneSettings):
    """Hyper-parameters: those of the backbone and one more.

    Attributes:
        lstm_units: width of the LSTM, of each direction.
    """

    lstm_units: int = 64


def plain(features: "KerasTensor", units: int) -> "KerasTensor":
    """(T, F) -> (units,)."""
    from keras import layers

    return layers.LSTM(units, name="lstm")(features)


def both_directions(features: "KerasTensor", units: int) -> "KerasTensor":
    """(T, F) -> (2 * units,)."""
    from keras import layers

    return layers.Bidirectional(layers.LSTM(units, name="lstm"), name="both_directions")(features)


def residual(features: "KerasTensor", units: int) -> "KerasTensor":
    """(T, F) -> (units,): what the LSTM adds to each frame's projected features, averaged over the frames."""
    from keras import layers

    projected = layers.Dense(units, name="projection")(features)  # (T, units)
    added = layers.LSTM(units, return_sequences=True, name="lstm")(projected)  # (T, units)
    joined = layers.Add(name="skip")([projected, added])
    return layers.GlobalAveragePooling1D(name="mean_over_time")(joined)


def build(
    name: str, head: Head, settings: MobileNetLSTMSettings, shapes: InputShapes, n_classes: int
) -> "Model":
    """The network: frames (T, H, W, 3) -> logits."""
    import keras

    frames, pixels = frames_input(shapes.of(("frames",))["frames"])
    features = clip_features(pixels, settings)  # (20, 1280)
    x = head(features, settings.lstm_units)
    return keras.Model(frames, classifier(x, n_classes), name=name)


def _definition(name: str, head: Head, title: str, parameters: int) -> KerasDefinition:
    return KerasDefinition(
        title=title,
        source="paper 002, Table 3",
        kind="clips",
        streams=("frames",),
        settings=MobileNetLSTMSettings,
        parameters=parameters,
        paper_shapes=PAPER_002,
        build=partial(build, name, head),
        initialise=initialise,
    )


PLAIN = _definition("mobilenet_lstm", plain, "MobileNetV2 and an LSTM", 2_602_369)
BOTH_DIRECTIONS = _definition(
    "mobilenet_bilstm", both_directions, "MobileNetV2 and an LSTM in both directions (BD-LSTM)", 2_946_753
)
RESIDUAL = _definition(
    "mobilenet_reslstm", residual, "MobileNetV2 and an LSTM with a skip connection (Res-LSTM)", 2_373_057
)
