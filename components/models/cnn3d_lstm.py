"""InceptionV3's features of every frame, an LSTM over them.

Source: paper 003, I and III: features of a CNN, a "single-merged feature map" into a 3D-CNN, an LSTM cell,
hidden layers. It says no more of them: that the features are InceptionV3's, and the widths, are ours.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.models.backbones import clip_features, initialise
from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, frames_input
from components.models.frame_classifiers import InceptionV3Settings
from components.models.inception_rule import PAPER_003

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class CNN3DLSTMSettings(InceptionV3Settings):
    """Hyper-parameters: those of the backbone and one more.

    Attributes:
        lstm_units: width of the LSTM.
    """

    lstm_units: int = 128


def build(settings: CNN3DLSTMSettings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) -> logits."""
    import keras
    from keras import layers

    frames, pixels = frames_input(shapes.of(("frames",))["frames"])
    x = layers.LSTM(settings.lstm_units, name="lstm")(clip_features(pixels, settings))  # (2048,) -> (128,)
    return keras.Model(frames, classifier(x, n_classes), name="cnn3d_lstm")


MODEL = KerasDefinition(
    title="InceptionV3's features and an LSTM",
    source="paper 003, proposed system",
    kind="clips",
    streams=("frames",),
    settings=CNN3DLSTMSettings,
    parameters=22_917_537,
    paper_shapes=PAPER_003,
    build=build,
    initialise=initialise,
)
