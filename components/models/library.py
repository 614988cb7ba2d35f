"""TensorFlow, started once per process."""

from functools import cache

from components.core.quiet import quiet_start


@cache
def start_tensorflow() -> None:
    """Import TensorFlow and let it look for devices, which is when it chatters."""
    with quiet_start():
        import tensorflow as tf

        tf.config.list_physical_devices()


def on_gpu() -> bool:
    """Whether networks learn and answer on a GPU, in other numbers than on a CPU."""
    start_tensorflow()
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))
