"""TensorFlow made ready for a training: seeds, determinism, precision."""

from collections.abc import Iterator
from contextlib import contextmanager

from components.models.library import on_gpu
from components.training.settings import TrainSettings


@contextmanager
def prepared(settings: TrainSettings) -> Iterator[str]:
    """Seed everything and choose the precision; yields its name and puts the former one back.

    On a CPU the same lock, cores and instruction set then give the same bytes. On a GPU deterministic kernels
    are much slower, so they are not asked for.
    """
    has_gpu = on_gpu()
    import keras
    import tensorflow as tf

    keras.backend.clear_session()
    keras.utils.set_random_seed(settings.seed)
    if not has_gpu:
        tf.config.experimental.enable_op_determinism()
    former = keras.config.dtype_policy()
    chosen = "mixed_bfloat16" if has_gpu and settings.mixed_precision == "auto" else "float32"
    keras.config.set_dtype_policy(chosen)
    try:
        yield chosen
    finally:
        keras.config.set_dtype_policy(former)
