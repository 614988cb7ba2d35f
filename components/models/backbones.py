"""Backbones: published networks for pictures without their top, as extractors of features of single frames.

A network that uses one has two layers by name: `backbone`, from pixels of a frame to its features, and
`features`, (T, F) of a clip or (F,) of a frame. Where nothing learns before `features`, training keeps its
output per clip (components/training/features.py).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from components.core.errors import UsageError
from components.models.h5_weights import snake_case
from components.models.pretrained import KerasWeights, Pretrained, WeightsFile, load_pretrained

if TYPE_CHECKING:
    import keras

BackboneName = Literal[
    "mobilenet_v2",
    "vgg16",
    "vgg19",
    "resnet50",
    "resnet50v2",
    "resnet101",
    "resnet152",
    "inception_v3",
    "xception",
]
FineTune = Literal["auto", "none", "last_block", "all"]
BACKBONE, FEATURES = "backbone", "features"
_LEFT_OUT: ContextVar[bool] = ContextVar("backbones_left_out", default=False)
_PUBLISHED = "https://storage.googleapis.com/tensorflow/keras-applications/"
MOMENTUM_FROM_RANDOM = (
    0.9  # 0.999, MobileNetV2's own, wants thousands of steps until validation sees what was learned
)
_NOTOP = "_weights_tf_dim_ordering_tf_kernels_notop.h5"


@dataclass(frozen=True)
class Backbone:
    """One published network.

    Attributes:
        application: its name in keras.applications.
        imagenet: its published weights without top.
        scaling: of pixels, as its weights were trained; `ImageNetPixels` says which is which.
        channels: F, of its features.
        min_side: the fewest pixels of a side that Keras takes.
        last_block_after: the layer after which the last block begins.
    """

    application: str
    imagenet: KerasWeights
    scaling: Literal["tf", "caffe"]
    channels: int
    min_side: int
    last_block_after: str


def _published(folder: str, name: str, md5: str) -> KerasWeights:
    return KerasWeights(f"{name}{_NOTOP}", f"{_PUBLISHED}{folder}/", md5)


# Keras publishes MobileNetV2 for five sizes, the one of 224 for all others, and gives no digests.
_MOBILENET_V2 = KerasWeights(
    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5", f"{_PUBLISHED}mobilenet_v2/", ""
)
BACKBONES: Mapping[str, Backbone] = {
    "mobilenet_v2": Backbone("MobileNetV2", _MOBILENET_V2, "tf", 1280, 32, "block_15_add"),
    "vgg16": Backbone(
        "VGG16",
        _published("vgg16", "vgg16", "6d6bbae143d832006294945121d1f1fc"),
        *("caffe", 512, 32, "block4_pool"),
    ),
    "vgg19": Backbone(
        "VGG19",
        _published("vgg19", "vgg19", "253f8cb515780f3b799900260a226db6"),
        *("caffe", 512, 32, "block4_pool"),
    ),
    "resnet50": Backbone(
        "ResNet50",
        _published("resnet", "resnet50", "4d473c1dd8becc155b73f8504c6f6626"),
        *("caffe", 2048, 32, "conv4_block6_out"),
    ),
    "resnet50v2": Backbone(
        "ResNet50V2",
        _published("resnet", "resnet50v2", "fac2f116257151a9d068a22e544a4917"),
        *("tf", 2048, 32, "conv4_block6_out"),
    ),
    "resnet101": Backbone(
        "ResNet101",
        _published("resnet", "resnet101", "88cf7a10940856eca736dc7b7e228a21"),
        *("caffe", 2048, 32, "conv4_block23_out"),
    ),
    "resnet152": Backbone(
        "ResNet152",
        _published("resnet", "resnet152", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
        *("caffe", 2048, 32, "conv4_block36_out"),
    ),
    "inception_v3": Backbone(
        "InceptionV3",
        _published("inception_v3", "inception_v3", "bcbd6486424b2319ff4ef7d526e38f63"),
        *("tf", 2048, 75, "mixed9"),
    ),
    "xception": Backbone(
        "Xception",
        _published("xception", "xception", "b0042744bf5b25fce3cb969f33bebb97"),
        *("tf", 2048, 71, "block13_pool"),
    ),
}


@dataclass(frozen=True)
class BackboneSettings:
    """Hyper-parameters of a network with a backbone; heads add their own.

    Attributes:
        backbone: which.
        weights: `imagenet`, `none`, or the path of an .h5 file of the backbone without top, from the project.
        weights_sha256: digest of the only file that is accepted; a path needs one.
        weights_dir: where published files lie, from the project; by default KERAS_HOME/models.
        fine_tune: what of the backbone learns; auto says all when it begins at random, else none.
    """

    backbone: BackboneName = "mobilenet_v2"
    weights: str = "imagenet"
    weights_sha256: str = ""
    weights_dir: str = ""
    fine_tune: FineTune = "auto"

    def __post_init__(self) -> None:
        if self.weights == "none" and self.fine_tune in ("none", "last_block"):
            raise UsageError(
                f"fine_tune: {self.fine_tune} with weights: none",
                wanted="a backbone that has learned something before it is frozen",
                remedy="set weights: imagenet or a path, or fine_tune: all",
            )

    @property
    def learning_part(self) -> Literal["none", "last_block", "all"]:
        """What of the backbone learns."""
        if self.fine_tune == "auto":
            return "all" if self.weights == "none" else "none"
        return self.fine_tune

    @property
    def published_file(self) -> str:
        """The published file that it needs, or nothing."""
        return BACKBONES[self.backbone].imagenet.file if self.weights == "imagenet" else ""

    @property
    def is_frozen(self) -> bool:
        """Whether nothing before the features learns, so that training may keep them."""
        return self.learning_part == "none"

    @property
    def pretrained(self) -> Pretrained:
        """The backbone, before it is built."""
        file = WeightsFile(self.weights, self.weights_sha256, self.weights_dir)
        code = tuple(f"components.models.{name}" for name in ("backbones", "blocks", "folding"))
        return Pretrained(self.backbone, code, file, BACKBONES[self.backbone].imagenet)

    @property
    def min_side(self) -> int:
        """The fewest pixels of a frame's side."""
        return BACKBONES[self.backbone].min_side


@contextmanager
def backbones_left_out() -> Iterator[None]:
    """Networks that are built within have a stand-in for their backbone, and its features' shape."""
    token = _LEFT_OUT.set(True)
    try:
        yield
    finally:
        _LEFT_OUT.reset(token)


def stand_in(x: "keras.KerasTensor", shape: tuple[int, ...]) -> "keras.KerasTensor | None":
    """What stands for a backbone that gives this shape; None where backbones are not left out."""
    from components.models.folding import StandIn

    return StandIn(shape, name=BACKBONE)(x) if _LEFT_OUT.get() else None


def clip_features(x: "keras.KerasTensor", settings: BackboneSettings) -> "keras.KerasTensor":
    """Pixels of clips (T, H, W, 3) in [0, 1] -> features (T, F)."""
    from components.models.folding import FoldTime, UnfoldTime

    frames = FoldTime(name="fold_time")(x)
    features = _apply(frames, settings)
    return _named(UnfoldTime(x.shape[1], name="unfold_time")(features))


def frame_features(x: "keras.KerasTensor", settings: BackboneSettings) -> "keras.KerasTensor":
    """Pixels of frames (H, W, 3) in [0, 1] -> features (F,)."""
    return _named(_apply(x, settings))


def initialise(network: "keras.Model", settings: BackboneSettings) -> dict[str, str]:
    """Put the backbone's weights into a new network; their digest by name, empty when it begins at random."""
    published = network.get_layer(BACKBONE).get_layer(settings.backbone)
    layers = [layer for layer in published.layers if layer.weights]
    return load_pretrained(layers, settings.pretrained.file, settings.pretrained.imagenet)


def build_backbone(name: BackboneName, shape: tuple[int, ...]) -> "keras.Model":
    """A backbone at random: pixels (H, W, 3) in [0, 1] -> features (F,), the mean over its last map."""
    import keras
    from keras import layers

    from components.models.folding import ImageNetPixels

    chosen = BACKBONES[name]
    build = getattr(keras.applications, chosen.application)
    published = _with_lasting_names(
        build(include_top=False, weights=None, input_shape=shape, name=name), name
    )
    pixels = layers.Input(shape, name="pixels")
    x = published(ImageNetPixels(chosen.scaling, name="as_imagenet")(pixels))  # (H / 32, W / 32, F)
    return keras.Model(pixels, layers.GlobalAveragePooling2D(name="pool")(x), name=BACKBONE)


def _apply(frames: "keras.KerasTensor", settings: BackboneSettings) -> "keras.KerasTensor":
    standing = stand_in(frames, (BACKBONES[settings.backbone].channels,))
    if standing is not None:
        return standing
    backbone = build_backbone(settings.backbone, tuple(frames.shape[1:]))
    _choose_learning(backbone.get_layer(settings.backbone), settings)
    # Batch normalisation of what is frozen keeps to the averages that it was published with.
    return backbone(frames, training=False) if settings.learning_part == "none" else backbone(frames)


def _choose_learning(published: "keras.Model", settings: BackboneSettings) -> None:
    if settings.weights == "none":
        for layer in published.layers:
            if hasattr(layer, "momentum"):
                layer.momentum = MOMENTUM_FROM_RANDOM
    if settings.learning_part == "all":
        return
    names = [layer.name for layer in published.layers]
    first = len(names)
    if settings.learning_part == "last_block":
        first = names.index(BACKBONES[settings.backbone].last_block_after) + 1
    for layer in published.layers[:first]:
        layer.trainable = False


def _named(features: "keras.KerasTensor") -> "keras.KerasTensor":
    from keras import layers

    return layers.Identity(name=FEATURES, dtype="float32")(features)


def _with_lasting_names(published: "keras.Model", name: str) -> "keras.Model":
    """The network with names of its own for layers that Keras numbers through the whole process.

    Weights are kept by layer path, which must be the same in every process.
    """
    import keras

    lasting = _lasting_names([(layer.name, type(layer).__name__) for layer in published.layers])
    if all(lasting[layer.name] == layer.name for layer in published.layers if layer.weights):
        return published

    def renamed(layer: "keras.layers.Layer") -> Any:
        config: dict[str, Any] = {**layer.get_config(), "name": lasting[layer.name]}
        return type(layer).from_config(config)

    again = keras.models.clone_model(published, clone_function=renamed)
    again.name = name
    return again


def _lasting_names(layers: list[tuple[str, str]]) -> dict[str, str]:
    """By name: itself, or the class and a number within the network where the name is such a one."""
    numbers: Counter[str] = Counter()
    names = {}
    for name, kind in layers:
        stem = snake_case(kind)
        if re.fullmatch(rf"{stem}(_\d+)?", name):
            numbers[stem] += 1
            names[name] = f"{stem}_{numbers[stem]}"
        else:
            names[name] = name
    return names
