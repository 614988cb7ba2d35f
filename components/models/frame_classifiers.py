"""A backbone on single frames, its pooled features to logits; a clip's probabilities are its frames' mean.

Source: paper 002, Table 3, which only names the networks. The head and the mean over frames are ours.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from components.models.backbones import BackboneName, BackboneSettings, frame_features, initialise
from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, frames_input
from components.models.lrcn import PAPER_002

if TYPE_CHECKING:
    import keras

# Keras' InceptionV3 takes no frames of paper 002's 64 pixels.
SMALLEST_FOR_INCEPTION = InputShapes(frames=(20, 75, 75, 3))


@dataclass(frozen=True)
class VGG19Settings(BackboneSettings):
    """Hyper-parameters: those of the backbone."""

    backbone: BackboneName = "vgg19"


@dataclass(frozen=True)
class InceptionV3Settings(BackboneSettings):
    """Hyper-parameters: those of the backbone."""

    backbone: BackboneName = "inception_v3"


@dataclass(frozen=True)
class ResNet50V2Settings(BackboneSettings):
    """Hyper-parameters: those of the backbone."""

    backbone: BackboneName = "resnet50v2"


def build(name: str, settings: BackboneSettings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: one frame (H, W, 3) -> logits."""
    import keras

    frames, pixels = frames_input(shapes.of(("frames",))["frames"][1:])
    features = frame_features(pixels, settings)  # (F,)
    return keras.Model(frames, classifier(features, n_classes), name=name)


def _definition(
    name: str, title: str, settings: type[BackboneSettings], parameters: int, shapes: InputShapes
) -> KerasDefinition:
    return KerasDefinition(
        title=title,
        source="paper 002, Table 3",
        kind="frames",
        streams=("frames",),
        settings=settings,
        parameters=parameters,
        paper_shapes=shapes,
        build=partial(build, name),
        initialise=initialise,
    )


VGG19 = _definition("frame_vgg19", "VGG19 on single frames", VGG19Settings, 20_024_897, PAPER_002)
INCEPTION_V3 = _definition(
    "frame_inception_v3",
    "InceptionV3 on single frames",
    InceptionV3Settings,
    21_804_833,
    SMALLEST_FOR_INCEPTION,
)
RESNET50_V2 = _definition(
    "frame_resnet50_v2", "ResNet50V2 on single frames", ResNet50V2Settings, 23_566_849, PAPER_002
)
