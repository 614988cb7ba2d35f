"""A backbone on every frame, an LSTM over its features, three dense layers.

Source: paper 001, abstract and introduction ("state-of-the-art pretrained models ... with an LSTM and three
dense layers"). Its method section was not at hand: widths, size and number of frames are ours.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from components.models import backbones
from components.models.backbones import BackboneName, BackboneSettings, clip_features
from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, dense_stack, frames_input
from components.models.lrcn import LRCNSettings, frame_convolutions

if TYPE_CHECKING:
    import keras

SCRATCH = "scratch"


@dataclass(frozen=True)
class CNNLSTMSettings(BackboneSettings):
    """Hyper-parameters: those of the backbone and some more.

    Attributes:
        backbone: a published one, or `scratch`: the convolutions of paper 002's LRCN, from random.
        scratch: of these convolutions; its lstm_units have no say.
        lstm_units: width of the LSTM.
        dense_units: widths of the dense layers before the last.
    """

    backbone: BackboneName | Literal["scratch"] = "mobilenet_v2"  # type: ignore[assignment]
    scratch: LRCNSettings = field(default_factory=LRCNSettings)
    lstm_units: int = 128
    dense_units: tuple[int, ...] = (256, 64)

    @property
    def learning_part(self) -> Literal["none", "last_block", "all"]:
        """What of the backbone learns."""
        return "all" if self.backbone == SCRATCH else super().learning_part

    @property
    def published_file(self) -> str:
        """The published file that it needs, or nothing."""
        return "" if self.backbone == SCRATCH else super().published_file

    @property
    def min_side(self) -> int:
        """The fewest pixels of a frame's side."""
        return self.scratch.min_side if self.backbone == SCRATCH else super().min_side


def build(settings: CNNLSTMSettings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) -> logits. Sizes for MobileNetV2 at the right."""
    import keras
    from keras import layers

    frames, pixels = frames_input(shapes.of(("frames",))["frames"])
    features = (
        frame_convolutions(pixels, settings.scratch)
        if settings.backbone == SCRATCH
        else clip_features(pixels, settings)
    )  # (20, 1280)
    x = layers.LSTM(settings.lstm_units, name="lstm")(features)  # (128,)
    x = dense_stack(x, settings.dense_units, "dense")  # (256,) -> (64,)
    return keras.Model(frames, classifier(x, n_classes), name="cnn_lstm")


def initialise(network: "keras.Model", settings: CNNLSTMSettings) -> dict[str, str]:
    """Put the backbone's weights into a new network; their digest by name."""
    return {} if settings.backbone == SCRATCH else backbones.initialise(network, settings)


MODEL = KerasDefinition(
    title="Pretrained backbone, LSTM and three dense layers (CNN-LSTM)",
    source="paper 001, introduction",
    kind="clips",
    streams=("frames",),
    settings=CNNLSTMSettings,
    parameters=3_028_929,
    paper_shapes=InputShapes(frames=(20, 112, 112, 3)),
    build=build,
    initialise=initialise,
)
