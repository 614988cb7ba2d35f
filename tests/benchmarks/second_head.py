"""A second head on a frozen backbone whose features are kept, beside the first with its backbone's pass.

One thread and its processor time, which others' work on the machine hardly changes; imports are in neither.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = """
import json, logging, shutil, sys, tempfile, time
from pathlib import Path
import numpy as np
import tensorflow as tf
from components.core.files import array_digest, file_sha256
from components.features.views import View
from components.models.backbones import build_backbone
from components.models.registry import definition_of
from components.store.store import Store
from components.training.bundling import calibrate, describe
from components.training.features import Features
from components.training.learn import learn
from components.training.observer import Unwatched
from components.training.settings import TrainSettings
from components.training.task import Task

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
logging.disable(logging.WARNING)
CLIPS, FRAMES, EPOCHS = 100, 20, 10

def trained(name, side, count, folder, **training):
    rng = np.random.default_rng(27)
    frames = rng.integers(0, 256, (count, FRAMES, side, side, 3), np.uint8)
    labels = np.arange(count) % 2
    frames[labels == 1] //= 2
    definition = definition_of(name)
    path = folder / "mobilenet.weights.h5"
    settings = definition.settings(weights=str(path), weights_sha256=file_sha256(path))
    rows = np.split(np.arange(count), [count * 6 // 10, count * 8 // 10])
    digests = {"frames": [array_digest(clip) for clip in frames]}
    taught = TrainSettings(epochs=EPOCHS, patience=EPOCHS, **training)
    streams = {"frames": frames}
    task = Task(name, definition, settings, taught, ("a", "b"), streams, rows[0], rows[1], labels, rows[2],
                digests=digests)
    features = Features(Store(folder / "store"), folder)
    started = time.process_time()
    learned = learn(task, None, Unwatched(), features)
    view = View(sampling="s", height=side, width=side, background="keep", numbers=False)
    info = describe(task, learned, view_name="v", view=view, chain={}, scaler=None, digests={})
    calibrate(info, task, learned, frames, None)
    return {"seconds": time.process_time() - started, "made": features.made, "taken": features.taken}

rows = []
with tempfile.TemporaryDirectory() as root:
    for side in map(int, sys.argv[1:]):
        folder = Path(root) / str(side)
        folder.mkdir()
        published = build_backbone("mobilenet_v2", (side, side, 3)).get_layer("mobilenet_v2")
        published.save_weights(folder / "mobilenet.weights.h5")
        if not rows:  # what a process does once is in neither figure
            trained("mobilenet_reslstm", side, 10, folder)
            shutil.rmtree(folder / "store")
        first = trained("mobilenet_lstm", side, CLIPS, folder)
        for name, seed in (("mobilenet_lstm", 28), ("mobilenet_bilstm", 27)):
            found = trained(name, side, CLIPS, folder, seed=seed)
            assert (first["made"], found["made"], found["taken"]) == (CLIPS, 0, CLIPS)
            rows.append({"side": side, "head": f"{name}, seed {seed}", "first_s": first["seconds"],
                         "second_s": found["seconds"], "share": found["seconds"] / first["seconds"]})
print(json.dumps({"clips": CLIPS, "frames": FRAMES, "epochs": EPOCHS, "rows": rows}))
"""


def measure(root: Path, sides: tuple[int, ...] = (64, 112, 224)) -> dict[str, Any]:
    """Seconds of the first training with MobileNetV2 below, and of others after it, by size of frames."""
    command = [sys.executable, "-c", SCRIPT, *map(str, sides)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
