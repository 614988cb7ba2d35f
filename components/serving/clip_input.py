"""What a bundle's model asks of one clip, made by the same chain as in training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from components.core.errors import BadDataError
from components.core.parallel import map_items
from components.core.settings import parse
from components.datasets.clips import Clip
from components.faces.settings import FeaturizeSettings
from components.features.chain import ClipChain
from components.features.keys import ChainSettings
from components.features.missing import carry
from components.features.views import View
from components.segmentation.base import SegmentSettings
from components.video.probe import printable
from components.video.sampling import Sampling

VIEW = "of the model"


@dataclass(frozen=True)
class ModelInput:
    """One clip as a model takes it.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB, or None for a model that looks at no pixels.
        numbers: (T, 29) float32, unscaled, carried; or None for a model that looks at no numbers.
        measured: (T, 29) bool, beside `numbers`.
        activations: (components.features.activation_layout.NUMBERS,), or None for a model that looks at none.
        times_s: (T,) of the frames in their video, beside `frames`.
    """

    frames: np.ndarray | None
    numbers: np.ndarray | None
    measured: np.ndarray | None
    activations: np.ndarray | None = None
    times_s: np.ndarray | None = None

    @property
    def coverage(self) -> float:
        """Share of the wanted numbers that were measured; a model that looks at none lacks none."""
        return 1.0 if self.measured is None else float(self.measured.mean())


def bundle_chain(info: Any) -> ChainSettings:
    """The way of a clip as it was when the bundle was trained, with the model's view as the only one.

    Args:
        info: the bundle's description; `chain` as plain values, `view`.
    """
    chain: Mapping[str, Any] = info.chain
    samplings = {
        name: parse(Sampling, values, f"bundle.samplings.{name}")
        for name, values in chain["samplings"].items()
    }
    return ChainSettings(
        samplings=samplings,
        segment=parse(SegmentSettings, chain["segment"], "bundle.segment"),
        featurize=parse(FeaturizeSettings, chain["featurize"], "bundle.featurize"),
        views={VIEW: info.view},
    )


def read_apart(chain: ClipChain, clip: Clip) -> None:
    """Read a clip's frames into the store in a process of their own, which a hostile file may end.

    Raises:
        BadDataError: the clip cannot be read, or ended its process.
    """
    read = partial(_read, chain)
    for cause in map_items(read, [clip], label="decoded", workers=1, lost=lambda _, cause: cause):
        if cause:
            raise BadDataError(
                f"{printable(clip.clip_id)}: {cause}",
                wanted="a video that can be decoded",
                remedy="convert it anew",
            )


def _read(chain: ClipChain, clip: Clip) -> str:
    chain.frames(clip, chain.settings.views[VIEW].sampling)
    return ""


def model_input(chain: ClipChain, clip: Clip, streams: Sequence[str]) -> ModelInput:
    """What a bundle's model asks of a clip.

    Args:
        streams: the inputs that the model looks at; of none, all that the view has.

    Raises:
        BadDataError: the clip cannot be read.
    """
    wanted: View = chain.settings.views[VIEW]
    looks_at = streams or ("frames", "numbers", "activations")
    has_pixels = wanted.height is not None and "frames" in looks_at
    tensors = chain.tensors(clip, VIEW) if has_pixels else None
    frames, times_s = (tensors["frames"], np.array(tensors.meta["times_s"])) if tensors else (None, None)
    has_activations = wanted.activations and "activations" in looks_at
    activations = chain.activations(clip, VIEW)["activations"] if has_activations else None
    if not wanted.numbers or "numbers" not in looks_at:
        return ModelInput(frames, None, None, activations, times_s)
    numbers = chain.measurements(clip)["numbers"]
    return ModelInput(frames, carry(numbers), np.isfinite(numbers), activations, times_s)
