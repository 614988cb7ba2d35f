"""One TFLite network on one thread, by LiteRT."""

from functools import cache

import numpy as np

from components.core.quiet import quiet_start
from components.core.weights import locate


class Network:
    """A network of one input.

    Args:
        weights: the name under which components.core.weights knows it.
    """

    def __init__(self, weights: str) -> None:
        from ai_edge_litert.interpreter import Interpreter

        with quiet_start():
            self._interpreter = Interpreter(str(locate(weights)), num_threads=1)
            self._interpreter.allocate_tensors()
        detail = self._interpreter.get_input_details()[0]
        self._input = detail["index"]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]
        self.height, self.width = (int(side) for side in detail["shape"][1:3])

    def run(self, values: np.ndarray) -> list[np.ndarray]:
        """The outputs, in the network's order, for an input (1, H, W, 3) float32."""
        self._interpreter.set_tensor(self._input, values)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


@cache
def network(weights: str) -> Network:
    """The network of these weights, made once per process."""
    return Network(weights)
