"""What decides each of a clip's results, as the key under which the store keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from components.core.code import code_digest
from components.core.files import digest
from components.core.registry import Registry
from components.core.settings import to_dict
from components.datasets.clips import Clip
from components.faces.settings import FeaturizeSettings
from components.features.views import View
from components.segmentation.base import SegmentSettings
from components.video.sampling import Sampling

_READER_PACKAGES = ("opencv-python", "av", "pillow", "numpy")
_NETWORK_PACKAGES = ("ai-edge-litert", "dlib-bin", "opencv-python", "numpy")


@dataclass(frozen=True)
class ChainSettings:
    """Everything that decides what becomes of a clip.

    Attributes:
        samplings: which frames are read, by name.
        segment: how persons are cut out.
        featurize: how faces are found and measured.
        views: what models ask for, by name.
    """

    samplings: Mapping[str, Sampling]
    segment: SegmentSettings
    featurize: FeaturizeSettings
    views: Mapping[str, View]

    def mask_samplings(self) -> list[str]:
        """The samplings whose frames need person masks, sorted."""
        of_views = {view.sampling for view in self.views.values() if needs_masks(view)}
        of_featurize = set() if self.featurize.look_in == "frame" else {self.featurize.sampling}
        return sorted(of_views | of_featurize)

    def activation_views(self) -> list[str]:
        """The views that have activations, sorted."""
        return sorted(name for name, view in self.views.items() if view.activations)

    def frame_samplings(self) -> list[str]:
        """The samplings that anything asks for, sorted."""
        wanted = {self.featurize.sampling} | {view.sampling for view in self.views.values()}
        dense = self.segment.dense_sampling()
        return sorted(wanted | ({dense} if dense else set()))


class ClipKeys:
    """The keys of a clip's results under these settings."""

    def __init__(self, settings: ChainSettings) -> None:
        self._settings = settings

    def frames(self, clip: Clip, sampling: str) -> str:
        """The digest of all that decides a clip's frames."""
        return digest(
            {
                "clip": [clip.sha256, clip.start_s, clip.end_s, clip.rate],
                "sampling": to_dict(self._settings.samplings[sampling]),
                "code": code_digest("components.video.reader"),
                "packages": _versions(_READER_PACKAGES),
            }
        )

    def masks(self, clip: Clip, sampling: str) -> str:
        """The digest of all that decides a clip's person masks."""
        from components.segmentation.base import SEGMENTERS, weights_digests

        segment = self._settings.segment
        dense = segment.dense_sampling()
        return digest(
            {
                "frames": self.frames(clip, sampling),
                "dense": self.frames(clip, dense) if dense else None,
                "settings": segment.in_force(),
                "code": code_digest("components.segmentation.base", SEGMENTERS.module(segment.backend)),
                "weights": weights_digests(segment),
                "packages": _versions(_NETWORK_PACKAGES),
            }
        )

    def measurements(self, clip: Clip) -> str:
        """The digest of all that decides a clip's numbers."""
        from components.faces import build

        featurize = self._settings.featurize
        return digest(
            {
                "frames": self.frames(clip, featurize.sampling),
                "masks": None if featurize.look_in == "frame" else self.masks(clip, featurize.sampling),
                "settings": {**to_dict(featurize), "min_coverage": None},  # judges numbers, makes none
                "code": _members_code(
                    "components.faces.measure",
                    (build.DETECTORS, featurize.detector),
                    (build.LANDMARKERS, featurize.landmarks),
                ),
                "weights": build.weights_digests(featurize),
                "packages": _versions(_NETWORK_PACKAGES),
            }
        )

    def tensors(self, clip: Clip, view: str) -> str:
        """The digest of all that decides a clip's tensors of a view."""
        wanted = self._settings.views[view]
        return digest(
            {
                "frames": self.frames(clip, wanted.sampling),
                "masks": self.masks(clip, wanted.sampling) if needs_masks(wanted) else None,
                "view": to_dict(wanted),
                "code": code_digest("components.features.views"),
                "packages": _versions(("opencv-python", "numpy")),
            }
        )

    def activations(self, clip: Clip, view: str) -> str:
        """The digest of all that decides a clip's activations."""
        from components.features.activations import weights_digests

        return digest(
            {
                "frames": self.frames(clip, self._settings.views[view].sampling),
                "code": code_digest("components.features.activations"),
                "weights": weights_digests(),
                "packages": _versions(_NETWORK_PACKAGES),
            }
        )


def needs_masks(view: View) -> bool:
    """Whether a view's tensors are cut out by masks."""
    return view.height is not None and view.background != "keep"


def _members_code(module: str, *members: tuple[Registry, str]) -> str:
    return code_digest(module, *(registry.module(name) for registry, name in members))


@cache
def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    return {name: metadata.version(name) for name in packages}
