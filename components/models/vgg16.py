"""VGG16 on single frames ("CNN"): thirteen convolutions, five poolings, three dense layers.

Source: paper 000, IV-B and Table 2; Simonyan and Zisserman 2014. Widths of the dense layers and ImageNet
weights, which it does not give, are ours, and so is the mean over frames: the paper's model judges frames.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from components.core.errors import UsageError
from components.models.backbones import BACKBONES, FEATURES, stand_in
from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import classifier, frames_input
from components.models.pretrained import Pretrained, WeightsFile, load_pretrained

if TYPE_CHECKING:
    import keras

IMAGENET = BACKBONES["vgg16"].imagenet
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


@dataclass(frozen=True)
class VGG16Settings:
    """Hyper-parameters.

    Attributes:
        weights: of the convolutions: `imagenet`, `none`, or the path of an .h5 file, from the project.
        weights_sha256: digest of the only file that is accepted; a path needs one.
        weights_dir: where the published file lies, from the project; by default KERAS_HOME/models.
        backbone: whether the convolutions learn too; auto says yes when they begin at random, else no.
        fc_units: widths of the dense layers before the last.
        dropout: after each of them.
    """

    weights: str = "imagenet"
    weights_sha256: str = ""
    weights_dir: str = ""
    backbone: Literal["auto", "train", "freeze"] = "auto"
    fc_units: tuple[int, ...] = (256, 64)
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if self.weights == "none" and self.backbone == "freeze":
            raise UsageError(
                "backbone: freeze with weights: none",
                wanted="convolutions that have learned something before they are frozen",
                remedy="set weights: imagenet or a path, or backbone: train",
            )

    @property
    def published_file(self) -> str:
        """The published file that it needs, or nothing."""
        return IMAGENET.file if self.weights == "imagenet" else ""

    @property
    def learns(self) -> bool:
        """Whether the convolutions are trained."""
        return self.backbone == "train" or (self.backbone == "auto" and self.weights == "none")

    @property
    def is_frozen(self) -> bool:
        """Whether nothing before the features learns, so that training may keep them."""
        return not self.learns

    @property
    def pretrained(self) -> Pretrained:
        """The convolutions, before they are built."""
        file = WeightsFile(self.weights, self.weights_sha256, self.weights_dir)
        return Pretrained("convolutions", ("components.models.vgg16",), file, IMAGENET)


def backbone(x: "keras.KerasTensor", settings: VGG16Settings) -> "keras.KerasTensor":
    """Pixels (H, W, 3) in [0, 1] -> (H / 32, W / 32, 512). Sizes for 128 x 128 at the right."""
    from keras import layers

    standing = stand_in(x, (x.shape[1] // 32, x.shape[2] // 32, BLOCKS[-1][-1]))
    if standing is not None:
        return standing
    if settings.weights != "none":
        x = as_imagenet(x)
    for b, widths in enumerate(BLOCKS, start=1):
        for c, filters in enumerate(widths, start=1):
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                name=f"block{b}_conv{c}",
                trainable=settings.learns,
            )(x)
        x = layers.MaxPooling2D(2, name=f"block{b}_pool")(x)  # 128 -> 64 -> 32 -> 16 -> 8 -> 4
    return x


def as_imagenet(x: "keras.KerasTensor") -> "keras.KerasTensor":
    """RGB in [0, 1] -> BGR in [0, 255] less the mean of ImageNet, as these weights were trained."""
    from keras import layers

    from components.models.folding import IMAGENET_MEAN_BGR

    bgr = x[..., ::-1]
    offset = [-mean for mean in IMAGENET_MEAN_BGR]
    return layers.Rescaling(255.0, offset, name="as_imagenet")(bgr)


def head(x: "keras.KerasTensor", settings: VGG16Settings) -> "keras.KerasTensor":
    """Features (4, 4, 512), 32 KiB of a frame where training keeps them, -> (fc_units[-1],)."""
    from keras import layers

    x = layers.Flatten(name=FEATURES, dtype="float32")(x)  # (4, 4, 512) -> (8192,)
    for k, width in enumerate(settings.fc_units, start=1):
        x = layers.Dense(width, activation="relu", name=f"fc_{k}")(x)
        x = layers.Dropout(settings.dropout, name=f"fc_{k}_dropout")(x)
    return x


def build(settings: VGG16Settings, shapes: InputShapes, n_classes: int) -> "keras.Model":
    """The network: one frame (H, W, 3) -> logits."""
    import keras

    frames, pixels = frames_input(shapes.of(("frames",))["frames"][1:])
    return keras.Model(
        frames, classifier(head(backbone(pixels, settings), settings), n_classes), name="vgg16"
    )


def initialise(network: "keras.Model", settings: VGG16Settings) -> dict[str, str]:
    """Put pretrained weights into the convolutions; their digest by name, empty when they begin at random."""
    layers = [layer for layer in network.layers if layer.name.startswith("block") and layer.weights]
    return load_pretrained(layers, settings.pretrained.file, settings.pretrained.imagenet)


MODEL = KerasDefinition(
    title="VGG16 on single frames (CNN)",
    source="paper 000, Table 2",
    kind="frames",
    streams=("frames",),
    settings=VGG16Settings,
    parameters=16_828_609,
    build=build,
    initialise=initialise,
)
