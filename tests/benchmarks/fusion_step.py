"""A training step of fusion in our loop, and of the same network under Keras' own fit on arrays."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = """
import json, sys, tempfile, time
from pathlib import Path
import numpy as np
from components.models.base import InputShapes
from components.models.library import start_tensorflow
from components.models.networks import build_network
from components.models.registry import definition_of, model_settings
from components.training.data import clips_of
from components.training.loop import Loop
from components.training.observer import Unwatched
from components.training.precision import prepared
from components.training.settings import TrainSettings

N, BATCH, EPOCHS = 96, 8, 4
rng = np.random.default_rng(27)
folder = Path(tempfile.mkdtemp())
np.save(folder / "frames.npy", rng.integers(0, 256, (N, 5, 128, 128, 3), np.uint8))
np.save(folder / "numbers.npy", rng.normal(0, 1, (N, 5, 29)).astype(np.float32))
streams = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("frames", "numbers")}
labels = np.arange(N) % 2
settings = TrainSettings(batch=BATCH, epochs=EPOCHS, patience=EPOCHS)
definition = definition_of("fusion")

class Timer(Unwatched):
    def __init__(self):
        self.seconds = []
    def on_epoch(self, epoch, metrics):
        self.seconds.append(metrics["seconds"])

def network():
    shapes = InputShapes(frames=streams["frames"].shape[1:], numbers=streams["numbers"].shape[1:])
    return build_network("fusion", definition, model_settings("fusion", {}), shapes, 2)

def ours():
    samples = clips_of(streams, np.arange(N), labels, np.ones(2))
    one = clips_of(streams, np.arange(BATCH), labels[:BATCH], np.ones(2))
    timer = Timer()
    Loop(network(), settings, samples, one, None, timer).run()
    return min(timer.seconds[1:])

def kerass():
    import keras
    built = network()
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    built.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    arrays = {name: np.asarray(values) for name, values in streams.items()}
    class Clock(keras.callbacks.Callback):
        seconds = []
        def on_epoch_begin(self, *_):
            self.started = time.perf_counter()
        def on_epoch_end(self, *_):
            self.seconds.append(time.perf_counter() - self.started)
    clock = Clock()
    wanted = labels.astype(np.float32)
    val = {name: values[:BATCH] for name, values in arrays.items()}, wanted[:BATCH]
    built.fit(
        arrays, wanted, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[clock], validation_data=val
    )
    return min(clock.seconds[1:])

with prepared(settings):
    steps = N // BATCH
    print(json.dumps({"ours": ours() / steps, "keras": kerass() / steps}))
"""


def measure(project_root: Path) -> dict[str, Any]:
    """Milliseconds of a step on a batch of eight clips; the least of three epochs each."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=project_root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    seconds = json.loads(done.stdout.splitlines()[-1])
    return {
        "ours_ms": 1000 * seconds["ours"],
        "keras_ms": 1000 * seconds["keras"],
        "ratio": seconds["ours"] / seconds["keras"],
    }
