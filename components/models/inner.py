"""Inside a bundle's model: what its last layer is given, and its answers to numbers beside frames held still.

Bundle.predict shows only answers. What is here is for explaining a model, and decides nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from components.models.base import Arrays, KerasDefinition
from components.models.bundle import FRAMES_PER_BATCH, Bundle, Predictions
from components.models.logits import to_probabilities
from components.models.multiply_adds import of_network
from components.models.networks import as_inputs, build_network, put_weights
from components.models.registry import model_settings

if TYPE_CHECKING:
    import keras

CLASSIFIER, JOINT = "logits", "fusion"  # layers as components.models.blocks names them


class Inner:
    """A bundle's model, opened.

    Args:
        bundle: the model.
        streams: N clips of each stream that it looks at, as Bundle.predict takes them.
    """

    def __init__(self, bundle: Bundle, streams: Arrays) -> None:
        self.bundle = bundle
        self.streams = {name: streams[name] for name in bundle.definition.streams}
        self.is_of_frames = bundle.definition.kind == "frames"

    @property
    def is_network(self) -> bool:
        """Whether it has layers; else it was fitted in closed form."""
        return isinstance(self.bundle.definition, KerasDefinition)

    @property
    def has_classifier(self) -> bool:
        """Whether it is a network whose last layer gives logits."""
        return self.is_network and any(layer.name == CLASSIFIER for layer in self._network.layers)

    @property
    def multiply_adds(self) -> int | None:
        """Those of one clip; 0 of a model in closed form, None where a layer cannot be counted."""
        return of_network(self._network, self._frames if self.is_of_frames else 1) if self.is_network else 0

    def given(self, rows: np.ndarray) -> np.ndarray:
        """All that the model is given of n clips, in one row each: (n, D), numbers standardised."""
        parts = [
            np.asarray(array, np.float64).reshape(len(rows), -1) for array in self._inputs(rows).values()
        ]
        return np.concatenate([np.zeros((len(rows), 0)), *parts], axis=1)

    def last_inputs(self, rows: np.ndarray) -> np.ndarray:
        """What the classifier is given of n clips: (n, D) float32; of a classifier of frames, their mean.

        Raises:
            ValueError: there is no such layer.
        """
        import keras

        below = keras.Model(self._network.input, self._network.get_layer(CLASSIFIER).input)
        return np.concatenate([self._per_clip(self._run(below, inputs)) for inputs in self._parts(rows)])

    def beside_frames(self, rows: np.ndarray) -> Callable[[np.ndarray], Predictions]:
        """Asks about numbers (n, T, 29), unscaled, in place of those of n clips, whose frames stay.

        What a network makes of the frames is computed once; so a question costs what the numbers cost.
        """
        if "frames" not in self.streams:
            return lambda numbers: self.bundle.predict(None, numbers)
        import keras

        network = self._network
        seen, _ = network.get_layer(JOINT).input  # the frames' stream, then the numbers'
        of_frames = _input(network, "frames")
        below = keras.Model(of_frames, seen)
        above = keras.Model([seen, _input(network, "numbers")], network.output)
        held = np.concatenate([self._run(below, inputs) for inputs in self._parts(rows)])

        def ask(numbers: np.ndarray) -> Predictions:
            scaled = self._flat({"numbers": self._scaled(numbers)})["numbers"]
            raw = to_probabilities(above.predict_on_batch([held, scaled]))
            return self.bundle.of_raw(self._per_clip(raw))

        return ask

    @cached_property
    def _network(self) -> "keras.Model":
        info, definition = self.bundle.info, self.bundle.definition
        if not isinstance(definition, KerasDefinition):
            raise TypeError(f"{info.model_id} is no network")
        settings = model_settings(info.model_id, info.settings)
        network = build_network(info.model_id, definition, settings, info.shapes, len(info.classes))
        put_weights(network, self.bundle.arrays)
        return network

    @property
    def _frames(self) -> int:
        return (self.bundle.info.shapes.frames or (1,))[0]

    def _scaled(self, numbers: np.ndarray) -> np.ndarray:
        scaler = self.bundle.info.scaler
        return numbers if scaler is None else scaler.apply(numbers)

    def _inputs(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        inputs = {name: np.asarray(array[rows]) for name, array in self.streams.items()}
        return inputs | ({"numbers": self._scaled(inputs["numbers"])} if "numbers" in inputs else {})

    def _parts(self, rows: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
        size = max(1, FRAMES_PER_BATCH // self._frames)
        for start in range(0, len(rows), size):
            yield self._flat(self._inputs(rows[start : start + size]))

    def _flat(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """(n, T, ...) -> (n * T, ...) for a classifier of frames."""
        if not self.is_of_frames:
            return dict(inputs)
        return {name: array.reshape(-1, *array.shape[2:]) for name, array in inputs.items()}

    def _per_clip(self, values: np.ndarray) -> np.ndarray:
        """(n * T, D) -> (n, D) for a classifier of frames."""
        return (
            values.reshape(-1, self._frames, values.shape[-1]).mean(axis=1) if self.is_of_frames else values
        )

    def _run(self, part: "keras.Model", inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        named = {tensor.name: inputs[tensor.name] for tensor in part.inputs}
        values = np.asarray(part.predict_on_batch(as_inputs(part, named)), np.float32)
        return values.reshape(len(values), -1)


def _input(network: "keras.Model", name: str) -> "keras.KerasTensor":
    (found,) = [tensor for tensor in network.inputs if tensor.name == name]
    return found
