"""ConvGRU2D beside a naive cell of the same weights and Keras' ConvLSTM2D: forward and training step.

One thread and its processor time, which others' work on the machine hardly changes.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = """
import json, time
import keras
import tensorflow as tf
from keras import ops
from components.models.convgru2d import ConvGRU2D

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
BATCH, STEPS, ROUNDS = 8, 20, 8
SIZES = {"4x4x128 to 256": ((4, 4, 128), 256), "15x15x64 to 64": ((15, 15, 64), 64)}

class NaiveCell(keras.layers.Layer):
    # the same equations as a cell of keras.layers.RNN: all gates' convolutions of x at each step
    def __init__(self, filters, space, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.state_size, self.output_size = filters, (*space, filters), filters

    def build(self, input_shape):
        gates = 3 * self.filters
        self.kernel = self.add_weight(shape=(3, 3, input_shape[-1], gates), name="kernel")
        self.recurrent_kernel = self.add_weight(shape=(3, 3, self.filters, gates), name="recurrent_kernel")
        self.bias = self.add_weight(shape=(gates,), initializer="zeros", name="bias")

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, *self.state_size))]

    def call(self, x, states):
        h, two = states[0], 2 * self.filters
        of_x = ops.conv(x, self.kernel, padding="same") + self.bias
        of_h = ops.conv(h, self.recurrent_kernel[..., :two], padding="same")
        z, r = ops.split(ops.sigmoid(of_x[..., :two] + of_h), 2, axis=-1)
        c = ops.tanh(of_x[..., two:] + ops.conv(r * h, self.recurrent_kernel[..., two:], padding="same"))
        h = z * h + (1 - z) * c
        return h, [h]

LAYERS = {
    "ConvGRU2D": lambda filters, space: ConvGRU2D(filters),
    "ConvGRU2D, reset after": lambda filters, space: ConvGRU2D(filters, reset_after=True),
    "naive cell": lambda filters, space: keras.layers.RNN(NaiveCell(filters, space)),
    "ConvLSTM2D": lambda filters, space: keras.layers.ConvLSTM2D(filters, 3, padding="same"),
}

def steps_of(shape, layer):
    inputs = keras.Input((STEPS, *shape))
    network = keras.Model(inputs, layer(inputs))
    optimizer = keras.optimizers.RMSprop(1e-4)
    optimizer.build(network.trainable_variables)
    x = tf.random.normal((BATCH, STEPS, *shape), seed=27)

    @tf.function
    def forward():
        return tf.reduce_sum(network(x, training=False))

    @tf.function
    def train():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(network(x, training=True) ** 2)
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss

    return {"parameters": network.count_params(), "forward_ms": forward, "train_ms": train}

def timed(step):
    started = time.process_time()
    step().numpy()
    return 1000 * (time.process_time() - started)

def rows_of(size):
    shape, filters = SIZES[size]
    made = {name: steps_of(shape, make(filters, shape[:2])) for name, make in LAYERS.items()}
    rows = {
        name: {"size": size, "layer": name, "parameters": steps["parameters"]} for name, steps in made.items()
    }
    for what in ("forward_ms", "train_ms"):
        for steps in made.values():
            steps[what]()
        for _ in range(ROUNDS):  # in turns, so that a busy moment of the machine meets them all
            for name, steps in made.items():
                rows[name][what] = min(rows[name].get(what, 1e9), timed(steps[what]))
    return list(rows.values())

print(json.dumps([row for size in SIZES for row in rows_of(size)]))
"""


def measure(project_root: Path) -> dict[str, Any]:
    """Processor milliseconds of a batch of eight clips of twenty steps; the least of eight rounds."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=project_root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return {"rows": with_ratios(json.loads(done.stdout.splitlines()[-1]))}


def with_ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each row with its times as multiples of ConvGRU2D's at the same size."""
    ours = {row["size"]: row for row in rows if row["layer"] == "ConvGRU2D"}
    return [
        {
            **row,
            "forward_ratio": row["forward_ms"] / ours[row["size"]]["forward_ms"],
            "train_ratio": row["train_ms"] / ours[row["size"]]["train_ms"],
        }
        for row in rows
    ]
