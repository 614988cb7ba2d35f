"""Multiple-instance ranking: a clip is a bag of segments, and only the bag has a label.

The highest score of an abnormal bag is to lie above the highest of a normal one; with the constraints, scores
of an abnormal one change smoothly and few are high.

Source: Sultani, Chen, Shah, "Real-world Anomaly Detection in Surveillance Videos", CVPR 2018, equations 4
to 6, quoted by paper 004, Table VIII; equation 7 adds the norm of the weights, which is not built. Ours:
features of an image backbone where theirs are C3D's, a frame for each segment, and all pairs of a batch where
theirs are 30 and 30.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from components.models.backbones import BackboneSettings, clip_features, initialise
from components.models.base import InputShapes, KerasDefinition
from components.models.blocks import frames_input

if TYPE_CHECKING:
    import keras

SMOOTH = SPARSE = 8e-5


@dataclass(frozen=True)
class MILRankingSettings(BackboneSettings):
    """Hyper-parameters: those of the backbone and some more.

    Attributes:
        units: widths of the dense layers before the score.
        dropout: after each of them.
        constraints: whether scores are to be smooth over time and sparse.
    """

    units: tuple[int, ...] = (512, 32)
    dropout: float = 0.6
    constraints: bool = True


def build(settings: MILRankingSettings, shapes: InputShapes, _n_classes: int) -> "keras.Model":
    """The network: frames (T, H, W, 3) -> scores (T,) in [0, 1]. Paper: 32 segments."""
    import keras
    from keras import layers

    frames, pixels = frames_input(shapes.of(("frames",))["frames"])
    x = clip_features(pixels, settings)  # (32, F)
    for k, width in enumerate(settings.units, start=1):
        x = layers.Dense(width, activation="relu" if k == 1 else None, name=f"dense_{k}")(x)
        x = layers.Dropout(settings.dropout, name=f"dropout_{k}")(x)
    scores = layers.Dense(1, activation="sigmoid", dtype="float32", name="score")(x)  # (32, 1)
    return keras.Model(frames, keras.ops.squeeze(scores, -1), name="mil_ranking")


def ranking_loss(settings: MILRankingSettings, labels: Any, scores: Any) -> Any:
    """Loss (B,) of bags with labels (B,) and scores (B, T), the same for all of a batch.

    The hinge of abnormal over normal bags, and of abnormal bags how far scores change and how high they are.
    A batch of one class has nothing to rank.

    Example: highest scores 0.9 and 0.2 of an abnormal and a normal bag -> 1 - 0.9 + 0.2 = 0.3.
    """
    import tensorflow as tf

    highest = tf.reduce_max(scores, axis=-1)
    abnormal = tf.cast(labels, highest.dtype)
    pairs = abnormal[:, None] * (1 - abnormal)[None]
    hinge = pairs * tf.nn.relu(1 - highest[:, None] + highest[None])
    mean = tf.math.divide_no_nan(tf.reduce_sum(hinge), tf.reduce_sum(pairs))
    if settings.constraints:
        changes = tf.reduce_sum(tf.square(scores[:, 1:] - scores[:, :-1]), axis=-1)
        asked = abnormal * (SMOOTH * changes + SPARSE * tf.reduce_sum(scores, axis=-1))
        mean += tf.math.divide_no_nan(tf.reduce_sum(asked), tf.reduce_sum(abnormal))
    return mean * tf.ones_like(highest)


def highest_score(_settings: MILRankingSettings, scores: np.ndarray) -> np.ndarray:
    """Scores (N,) of bags with scores (N, T)."""
    highest: np.ndarray = scores.max(axis=1)
    return highest


MODEL = KerasDefinition(
    title="Multiple-instance ranking over a backbone",
    source="paper 004, Table VIII (Sultani et al. 2018)",
    kind="anomaly",
    streams=("frames",),
    settings=MILRankingSettings,
    parameters=2_930_305,
    paper_shapes=InputShapes(frames=(32, 112, 112, 3)),
    clip_score=highest_score,
    build=build,
    initialise=initialise,
    loss=ranking_loss,
    loss_needs_batch=True,
)
