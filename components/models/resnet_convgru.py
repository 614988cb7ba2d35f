"""ConvGRU over the features of a backbone, which are read as small maps ("ConvGRU-CNN", proposed).

Source: paper 004, sections III and IV. Its reshape of 2048 features to 3 x 3 x 128 = 1152 is impossible. The
4 x 4 x 128 here and the widths of the dense layers are those of public code with the same layers and settings
(liorsidi/violence-detection-deep-learning-cnnlstm, BuildModel_basic.py). The dropout's share is ours.
"""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Literal

from components.core.errors import UsageError
from components.models.backbones import (
    BACKBONES,
    MOMENTUM_FROM_RANDOM,
    BackboneName,
    BackboneSettings,
    clip_features,
    initialise,
)
from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, frames_input

if TYPE_CHECKING:
    import keras

Initializer = Literal["glorot_uniform", "random_uniform", "he_uniform"]
PAPER_004 = InputShapes(frames=(20, 240, 240, 3))
MAP_CHANNELS = 128  # at most so many, where the shape of a map is derived
PROJECTED = (3, 3, 128)
BOTTLENECK = "bottleneck"


@dataclass(frozen=True)
class RecurrentMapsSettings(BackboneSettings):
    """Hyper-parameters: those of the backbone and some more.

    Attributes:
        spatial_reshape: height, width and channels of the map that a frame's features are read as; null
            derives it from their number (`derived_map`).
        project_3x3x128: a dense layer of 1152 units first, so that the map has the paper's literal shape.
        filters: channels of the recurrent state.
        kernel: side of its square kernels.
        fc_units: widths of the dense layers before the last; the first is batch-normalised.
        dropout: share dropped before them.
        initializer: of the input's kernels of the recurrence and of the dense layers (Table IV).
    """

    backbone: BackboneName = "resnet50"
    spatial_reshape: tuple[int, int, int] | None = None
    project_3x3x128: bool = False
    filters: int = 256
    kernel: int = 3
    fc_units: tuple[int, ...] = (1000, 256, 10)
    dropout: float = 0.5
    initializer: Initializer = "glorot_uniform"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.fc_units:
            raise UsageError(
                "fc_units: []",
                wanted="one width or more",
                remedy="correct the model's fc_units in params.yaml",
            )
        channels, given = BACKBONES[self.backbone].channels, self.spatial_reshape
        if given is not None and self.project_3x3x128:
            raise UsageError(
                f"spatial_reshape: {list(given)} with project_3x3x128: true",
                wanted="one of them",
                remedy="remove the other from the model's section in params.yaml",
            )
        if given is not None and (prod(given) != channels or min(given) < 1):
            raise UsageError(
                f"spatial_reshape: {list(given)} for the {channels} features of {self.backbone}",
                wanted=f"three whole numbers whose product is {channels}",
                remedy="correct it in params.yaml, or remove it: it is derived then",
            )

    @property
    def map_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a frame's map."""
        if self.project_3x3x128:
            return PROJECTED
        return self.spatial_reshape or derived_map(BACKBONES[self.backbone].channels)


@dataclass(frozen=True)
class ResNetConvGRUSettings(RecurrentMapsSettings):
    """Hyper-parameters: those of the maps and the head, and some of the ConvGRU.

    Attributes:
        reset_after: whether the reset gate acts after the convolution of the state, and not before.
        recurrent_dropout: share of a state dropped where it is convolved.
    """

    reset_after: bool = False
    recurrent_dropout: float = 0.0


def derived_map(channels: int) -> tuple[int, int, int]:
    """The smallest square whose side is a power of two that leaves 128 channels or fewer.

    Example:
        >>> [derived_map(channels) for channels in (2048, 512, 1280)]
        [(4, 4, 128), (2, 2, 128), (4, 4, 80)]

    Raises:
        UsageError: the number of features cannot be divided so.
    """
    side = 1
    while channels > MAP_CHANNELS * side * side:
        side *= 2
    if channels % (side * side):
        raise UsageError(
            f"{channels} features do not make a map of {side} x {side}",
            wanted="a number of features that the map's places divide",
            remedy="set the model's spatial_reshape in params.yaml",
        )
    return side, side, channels // (side * side)


def maps(x: "keras.KerasTensor", settings: RecurrentMapsSettings) -> "keras.KerasTensor":
    """Pixels (T, H, W, 3) in [0, 1] -> maps (T, h, w, c). Sizes of the paper at the right."""
    from keras import layers

    features = clip_features(x, settings)  # (20, 240, 240, 3) -> (20, 2048)
    if settings.project_3x3x128:
        features = layers.Dense(prod(PROJECTED), kernel_initializer=settings.initializer, name="project")(
            features
        )  # (20, 1152)
    return layers.Reshape((x.shape[1], *settings.map_shape), name="maps")(features)  # (20, 4, 4, 128)


def head(x: "keras.KerasTensor", settings: RecurrentMapsSettings) -> "keras.KerasTensor":
    """The last state (h, w, filters) -> (fc_units[-1],). Sizes of the paper at the right."""
    from keras import layers

    x = layers.MaxPooling2D(2, padding="same", name="pool")(x)  # (4, 4, 256) -> (2, 2, 256)
    x = layers.Flatten(name="flatten")(x)  # (1024,)
    x = layers.Dropout(settings.dropout, name="dropout")(x)
    for k, width in enumerate(settings.fc_units, start=1):  # (1000,), (256,), (10,)
        x = layers.Dense(width, kernel_initializer=settings.initializer, name=f"fc_{k}")(x)
        if k == 1:
            x = layers.BatchNormalization(momentum=MOMENTUM_FROM_RANDOM, name=f"fc_{k}_norm")(x)
        x = layers.ReLU(name=f"fc_{k}_relu" if k < len(settings.fc_units) else BOTTLENECK)(x)
    return x


def build(settings: ResNetConvGRUSettings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) -> logits."""
    import keras

    from components.models.convgru2d import ConvGRU2D

    frames, pixels = frames_input(shapes.of(("frames",))["frames"])
    state = ConvGRU2D(
        settings.filters,
        settings.kernel,
        reset_after=settings.reset_after,
        recurrent_dropout=settings.recurrent_dropout,
        kernel_initializer=settings.initializer,
        name="convgru",
    )(maps(pixels, settings))  # (4, 4, 256)
    return keras.Model(frames, classifier(head(state, settings), n_classes), name="resnet_convgru")


MODEL = KerasDefinition(
    title="ResNet-50 and ConvGRU (ConvGRU-CNN)",
    source="paper 004, III",
    kind="clips",
    streams=("frames",),
    settings=ResNetConvGRUSettings,
    parameters=27_530_525,
    paper_shapes=PAPER_004,
    build=build,
    initialise=initialise,
    bottlenecks=(BOTTLENECK,),
)
