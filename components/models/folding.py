"""Layers that apply a network for pictures to every frame of a clip at once.

Keras 3 writes TimeDistributed out as a loop over T; folding T into the batch is the same and has no loop.
This module imports Keras: import it inside functions.
"""

from typing import Any

import keras
from keras import layers, ops

IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)


@keras.saving.register_keras_serializable("tailwatch")
class FoldTime(layers.Layer):
    """(N, T, ...) -> (N * T, ...)."""

    def call(self, x: Any) -> Any:
        """Fold."""
        return ops.reshape(x, (-1, *x.shape[2:]))


@keras.saving.register_keras_serializable("tailwatch")
class UnfoldTime(layers.Layer):
    """(N * T, ...) -> (N, T, ...).

    Args:
        frames: T.
    """

    def __init__(self, frames: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.frames = frames

    def call(self, x: Any) -> Any:
        """Unfold."""
        return ops.reshape(x, (-1, self.frames, *x.shape[1:]))

    def get_config(self) -> dict[str, Any]:
        """What builds the layer again."""
        return {**super().get_config(), "frames": self.frames}


class StandIn(layers.Layer):
    """(N, ...) -> (N, *shape), of a network that is not there: it has a shape, and cannot be asked.

    Args:
        shape: of what it stands for.
    """

    def __init__(self, shape: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shape = shape

    def compute_output_spec(self, x: Any) -> Any:
        """What the rest of the network is built on."""
        return keras.KerasTensor((x.shape[0], *self.shape), dtype=self.compute_dtype)


@keras.saving.register_keras_serializable("tailwatch")
class ImageNetPixels(layers.Layer):
    """RGB in [0, 1] -> what a published network was trained on, as Keras' `preprocess_input` has it.

    Args:
        scaling: `tf` gives RGB in [-1, 1]; `caffe` gives BGR in [0, 255] less the mean of ImageNet.
    """

    def __init__(self, scaling: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scaling = scaling

    def call(self, x: Any) -> Any:
        """Scale."""
        if self.scaling == "tf":
            return 2.0 * x - 1.0
        return 255.0 * ops.flip(x, axis=-1) - ops.convert_to_tensor(IMAGENET_MEAN_BGR, x.dtype)

    def get_config(self) -> dict[str, Any]:
        """What builds the layer again."""
        return {**super().get_config(), "scaling": self.scaling}
