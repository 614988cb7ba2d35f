"""The process in which PixelLib's Mask R-CNN runs: frames in, person masks out.

PixelLib switches TensorFlow's eager mode off and changes global settings when it is imported, so it lives
alone. Its own load_model returns without an error and leaves the weights random: here they are loaded by
Keras and compared with the file, tensor by tensor. Messages are arrays in NumPy's npy format, each after its
length in eight bytes.

Source: He et al., "Mask R-CNN" (2017), as PixelLib 0.7.1 builds it.
"""

import io
import os
import struct
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

ENVIRONMENT = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
OWN = "-"  # stands for PixelLib's own value
PERSON = 1  # COCO's class
LENGTH = struct.Struct(">Q")
NOT_RESTORED = 3  # exit code: the file's tensors are not the model's


class NotRestoredError(Exception):
    """A file that does not hold the whole model."""


def write_array(stream: BinaryIO, array: np.ndarray) -> None:
    """Send one array."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    stream.write(LENGTH.pack(buffer.tell()))
    stream.write(buffer.getbuffer())
    stream.flush()


def read_array(stream: BinaryIO) -> np.ndarray | None:
    """Receive one array; None when the other side is gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return np.load(io.BytesIO(body), allow_pickle=False) if len(body) == length else None


def build_model(infer_speed: str | None, min_score: float | None) -> Any:
    """PixelLib's Mask R-CNN in inference mode, its weights still random.

    Raises:
        RuntimeError: TensorFlow would use Keras 3, under which the model does not run.
    """
    if os.environ.get("TF_USE_LEGACY_KERAS") != "1":
        raise RuntimeError("TF_USE_LEGACY_KERAS=1 must be in the environment before TensorFlow is imported")
    from pixellib import instance

    instance.instance_segmentation(infer_speed=infer_speed)  # changes coco_config
    if min_score is not None:
        instance.coco_config.DETECTION_MIN_CONFIDENCE = min_score
    return instance.MaskRCNN(mode="inference", model_dir=tempfile.gettempdir(), config=instance.coco_config)


def restore(model: Any, path: Path) -> int:
    """Load weights by layer name and compare all of them with the file; gives the number of tensors.

    Raises:
        NotRestoredError: a tensor of the model is not in the file, or was not taken over.
    """
    from tensorflow.keras.backend import batch_get_value

    layers = model.keras_model.layers
    model.keras_model.load_weights(str(path), by_name=True)
    values = iter(batch_get_value([tensor for layer in layers for tensor in layer.weights]))
    present = {layer.name: [next(values) for _ in layer.weights] for layer in layers}
    return compare(present, tensors_of_file(path))


def compare(present: Mapping[str, list[np.ndarray]], stored: Mapping[str, list[np.ndarray]]) -> int:
    """The number of a model's tensors by layer, all of which must be the file's.

    Raises:
        NotRestoredError: one is not.
    """
    for name, tensors in present.items():
        wanted = stored.get(name, [])
        if len(wanted) != len(tensors) or not all(map(np.array_equal, tensors, wanted)):
            raise NotRestoredError(f"the {len(tensors)} tensors of layer {name} are not the file's")
    return sum(map(len, present.values()))


def join_persons(result: dict[str, np.ndarray], height: int, width: int) -> np.ndarray:
    """The mask bool (height, width) of all persons of one detection; all False when there is none.

    Args:
        result: class_ids (N,), and masks (height, width, N), or (0,) as PixelLib's filter leaves it.
    """
    masks = np.asarray(result["masks"])
    if masks.ndim != 3 or not masks.shape[2]:
        return np.zeros((height, width), bool)
    persons = masks[:, :, np.asarray(result["class_ids"]) == PERSON]
    return np.any(persons, axis=2, out=np.empty((height, width), bool))


def serve(model: Any, frames: BinaryIO, masks: BinaryIO) -> None:
    """Answer every frame (H, W, 3) uint8 RGB by its persons' mask (H, W) bool until the other side closes."""
    while (frame := read_array(frames)) is not None:
        result = model.detect([frame.copy()])[0]
        write_array(masks, join_persons(result, *frame.shape[:2]))


def main(arguments: list[str]) -> int:
    """Run as `python -m components.segmentation.pixellib_worker WEIGHTS INFER_SPEED MIN_SCORE THREADS`.

    INFER_SPEED and MIN_SCORE may be OWN. The first message is the number of restored tensors.
    """
    weights, infer_speed, min_score, threads = arguments
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print must not mix with the masks
    set_up_tensorflow(int(threads))
    score = None if min_score == OWN else float(min_score)
    model = build_model(None if infer_speed == OWN else infer_speed, score)
    try:
        restored = restore(model, Path(weights))
    except NotRestoredError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_RESTORED
    model.keras_model = Frozen(model.keras_model, int(threads))
    write_array(answers, np.array(restored))
    serve(model, sys.stdin.buffer, answers)
    return 0


class Frozen:
    """A Keras network whose weights are constants, so that TensorFlow folds normalisations into convolutions.

    It gives the persons' pixels that Keras' own predict gives, in two thirds of the time; Keras' session is
    closed.

    Args:
        network: a functional model in Keras' graph mode.
        threads: of TensorFlow.
    """

    def __init__(self, network: Any, threads: int) -> None:
        import tensorflow.compat.v1 as tf

        backend = tf.keras.backend
        self._inputs = [tensor.name for tensor in network.inputs]
        self._outputs = [tensor.name for tensor in network.outputs]
        session = backend.get_session()
        constant = tf.graph_util.convert_variables_to_constants(
            session, session.graph.as_graph_def(), [tensor.op.name for tensor in network.outputs]
        )
        backend.clear_session()
        graph = tf.Graph()
        with graph.as_default():
            tf.import_graph_def(constant, name="")
        limits = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1)
        self._session = tf.Session(graph=graph, config=limits)

    def predict(self, inputs: Sequence[np.ndarray], **_: Any) -> list[np.ndarray]:
        """The outputs for one batch."""
        found: list[np.ndarray] = self._session.run(
            self._outputs, dict(zip(self._inputs, inputs, strict=True))
        )
        return found


def tensors_of_file(path: Path) -> dict[str, list[np.ndarray]]:
    """The tensors of a Keras weights file by layer, in the layer's order."""
    import h5py

    with h5py.File(path, "r") as file:
        group = file if "layer_names" in file.attrs else file["model_weights"]
        names = [_text(name) for name in group.attrs["layer_names"]]
        return {name: _tensors_of_layer(group[name]) for name in names}


def _tensors_of_layer(group: Any) -> list[np.ndarray]:
    return [np.asarray(group[_text(name)]) for name in group.attrs["weight_names"]]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def set_up_tensorflow(threads: int) -> None:
    """Before the model is built: few threads, and Keras' graph, which only loads weights, as it is."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    # Weights are read and set in many small runs of the graph; optimising each takes longer than running it.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
