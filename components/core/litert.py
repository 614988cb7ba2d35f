"""One TFLite network on one thread, by LiteRT."""

import warnings
from functools import cache
from math import prod

import numpy as np

from components.core.errors import BadDataError
from components.core.quiet import quiet_start
from components.core.weights import locate


class Network:
    """A network of one input.

    Args:
        weights: the name under which components.core.weights knows it.
        keep_inner: whether what inner layers give can be read.
    """

    def __init__(self, weights: str, *, keep_inner: bool = False) -> None:
        from ai_edge_litert.interpreter import Interpreter

        with quiet_start():
            self._interpreter = Interpreter(
                str(locate(weights)), num_threads=1, experimental_preserve_all_tensors=keep_inner
            )
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


class Probe(Network):
    """A network whose outputs are what inner layers give, in the order they are asked for.

    Args:
        weights: the name under which components.core.weights knows it.
        layers: names of the layers; of a fused layer the first of its names.

    Raises:
        BadDataError: the network has no such layer.
    """

    def __init__(self, weights: str, layers: tuple[str, ...]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that inner layers are kept costs memory
            super().__init__(weights, keep_inner=True)
        places = {
            tensor["name"].partition(";")[0]: tensor["index"]
            for tensor in self._interpreter.get_tensor_details()
        }
        missing = [layer for layer in layers if layer not in places]
        if missing:
            raise BadDataError(
                f"The network {weights} has no layer {missing[0]}",
                wanted="the network that its digest names",
                remedy="run `make setup`",
            )
        self._outputs = [places[layer] for layer in layers]

    def multiply_adds(self) -> int:
        """Products with kernels for one input, of convolutions, which are nearly all there are."""
        shapes = {
            tensor["index"]: [int(size) for size in tensor["shape"]]
            for tensor in self._interpreter.get_tensor_details()
        }
        count = 0
        for step in self._interpreter._get_ops_details():
            if step["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D"):
                kernel = shapes[step["inputs"][1]]  # (out, h, w, in), or (1, h, w, out) of a depthwise one
                per_value = kernel[1:] if step["op_name"] == "CONV_2D" else kernel[1:3]
                count += prod(shapes[step["outputs"][0]]) * prod(per_value)
        return count


@cache
def network(weights: str) -> Network:
    """The network of these weights, made once per process."""
    return Network(weights)
