"""How the changes of activations of one clip lie in a row of numbers.

Source: ours (docs/decisions/0011). The networks are MediaPipe's, Apache-2.0.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

RATE = 10.0  # frames a second
LAGS = (1, 2, 5)  # frames; tenths of a second at ten frames a second


@dataclass(frozen=True)
class Look:
    """A network and the windows that it looks at.

    Attributes:
        network: as components.core.weights names it.
        layers: names of the activations.
        channels: of all layers together.
        low, high: range of the input's values.
        windows: names of the windows.
    """

    network: str
    layers: tuple[str, ...]
    channels: int
    low: float
    high: float
    windows: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Vectors that a clip has."""
        return len(self.windows)

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return self.channels * len(LAGS)


LOOKS = (
    Look(
        "pose_landmark_full",
        (
            *("add_5/add", "re_lu_22/Relu6", "add_8/add", "re_lu_31/Relu6", "re_lu_40/Relu6"),
            *("re_lu_43/Relu6", "re_lu_50/Relu6"),
        ),
        3064,
        0.0,
        1.0,
        ("busiest", "peak_128", "whole"),
    ),
    Look(
        "pose_detection",
        ("add_5/add", "re_lu_22/Relu6", "add_8/add", "re_lu_31/Relu6", "add_9/add"),
        2320,
        -1.0,
        1.0,
        ("busiest", "peak_128", "peak", "peak_176"),
    ),
)
NUMBERS = sum(look.rows * look.width for look in LOOKS)


def blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    """Numbers (N, NUMBERS) as one block (N, rows, width) for each look."""
    start = 0
    for look in LOOKS:
        end = start + look.rows * look.width
        yield values[:, start:end].reshape(len(values), look.rows, look.width)
        start = end
