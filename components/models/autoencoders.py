"""What autoencoders share: grey frames, the error of each, and scores of clips. Shapes without N."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from components.core.errors import UsageError

if TYPE_CHECKING:
    from keras import KerasTensor

ClipScore = Literal["mean", "max"]
GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601


def grey_frames(shape: tuple[int, ...]) -> tuple["KerasTensor", "KerasTensor"]:
    """Input `frames` (T, H, W, 3) of uint8 RGB, and the same as grey values (T, H, W, 1) in [0, 1]."""
    import keras
    from keras import layers

    frames = layers.Input(shape, dtype="uint8", name="frames")
    pixels = layers.Rescaling(1 / 255, name="scaled")(frames)
    grey = keras.ops.sum(pixels * np.array(GREY, np.float32), axis=-1, keepdims=True)
    return frames, grey


def frame_errors(wanted: "KerasTensor", rebuilt: "KerasTensor") -> "KerasTensor":
    """Mean squared error of each frame: (T, H, W, 1) twice -> (T,) float32."""
    import keras

    gap = keras.ops.cast(wanted, "float32") - keras.ops.cast(rebuilt, "float32")
    return keras.ops.mean(keras.ops.square(gap), axis=(2, 3, 4))


def mean_error(_settings: Any, _labels: Any, errors: Any) -> Any:
    """The loss (B,) of errors (B, T)."""
    import tensorflow as tf

    return tf.reduce_mean(errors, axis=-1)


def euclidean_clip_score(settings: Any, errors: np.ndarray) -> np.ndarray:
    """Scores (N,) of mean squared errors (N, T): the mean or the largest of their roots.

    The root of the mean squared error is the Euclidean distance but for the constant number of pixels.

    Source: paper 003, III: the Euclidean distance between a batch and the rebuilt one; here of each frame.
    """
    distances = np.sqrt(errors)
    scores: np.ndarray = distances.max(axis=1) if settings.clip_score == "max" else distances.mean(axis=1)
    return scores


def check_sides(model: str, shape: tuple[int, ...], multiple: int) -> None:
    """Refuse frames that pooling and enlarging would not give back at their size.

    Raises:
        UsageError: a side that is no multiple.
    """
    _, height, width, _ = shape
    if height % multiple or width % multiple:
        raise UsageError(
            f"models.{model} is given frames of {width} x {height}",
            wanted=f"sides that are multiples of {multiple}",
            remedy="correct the model's view in params.yaml",
        )
