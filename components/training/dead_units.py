"""Dead units: those of a narrow layer that say the same of every clip, so that nothing passes them."""

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from components.models.networks import as_inputs
from components.training.data import Samples, batches

if TYPE_CHECKING:
    import keras

log = logging.getLogger("tailwatch")


def dead_fractions(
    network: "keras.Model", layers: tuple[str, ...], samples: Samples, batch: int
) -> dict[str, float]:
    """Share of dead units by layer, in [0, 1].

    Args:
        layers: names of the layers that are looked at.
        samples: those that a living unit must tell apart, in the size of `batch` at once.
    """
    if not layers:
        return {}
    probe = _probe(network, layers)
    parts = [probe(as_inputs(network, part.inputs), training=False) for part in batches(samples, batch)]
    outputs = {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in layers}
    fractions = {name: float((np.ptp(values, axis=0) == 0).mean()) for name, values in outputs.items()}
    for name, fraction in fractions.items():
        if fraction:
            log.warning("%s: %.0f %% of the units of %s are dead", network.name, 100 * fraction, name)
    return fractions


def _probe(network: "keras.Model", layers: tuple[str, ...]) -> "keras.Model":
    """The network with these layers' outputs, by name.

    A layer of a head stands in the whole network too, so its `output` may be another network's.
    """
    import keras

    outputs = {}

    def call(layer: "keras.layers.Layer", *args: Any, **kwargs: Any) -> Any:
        outputs[layer.name] = layer(*args, **kwargs)
        return outputs[layer.name]

    again = keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call)
    return keras.Model(again.input, {name: outputs[name] for name in layers})
