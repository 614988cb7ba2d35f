"""One clip's way from its file to a model's tensors, each step taken from the store or made.

The stages and serving go the same way through this module, so a prediction sees what training saw.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from components.core.code import code_digest
from components.core.errors import BadDataError
from components.core.files import digest, file_sha256
from components.core.registry import Registry
from components.core.settings import to_dict
from components.datasets.clips import Clip
from components.faces.settings import FeaturizeSettings
from components.features.views import View
from components.segmentation.base import SegmentSettings
from components.store.store import Store, StoredObject, object_name
from components.video.sampling import Sampling

_READER_PACKAGES = ("opencv-python", "av", "numpy")
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
        of_views = {view.sampling for view in self.views.values() if _needs_masks(view)}
        of_featurize = set() if self.featurize.look_in == "frame" else {self.featurize.sampling}
        return sorted(of_views | of_featurize)

    def frame_samplings(self) -> list[str]:
        """The samplings that anything asks for, sorted."""
        wanted = {self.featurize.sampling} | {view.sampling for view in self.views.values()}
        dense = self.segment.dense_sampling()
        return sorted(wanted | ({dense} if dense else set()))


class ClipChain:
    """What is computed for one clip.

    Args:
        store: where results are kept.
        settings: what decides the results.
        locate: the local file of a clip.
    """

    def __init__(self, store: Store, settings: ChainSettings, locate: Callable[[Clip], Path]) -> None:
        self.store = store
        self.settings = settings
        self._locate = locate

    def frames(self, clip: Clip, sampling: str) -> StoredObject:
        """`frames` (T, H, W, 3) uint8 RGB and `times_s` (T,); meta: what the decoder really saw.

        A clip that is read at all is read for every sampling in use, in the same pass.

        Raises:
            BadDataError: the clip cannot be read.
        """
        return self.store.take("frames", self.frames_key(clip, sampling), lambda: self._read(clip)[sampling])

    def expected_bytes(self, clip: Clip) -> int:
        """What the clip's frames will take; 0 where they are in the store.

        Raises:
            BadDataError: the clip cannot be read.
        """
        from components.video.reader import expected_bytes

        names = self.settings.frame_samplings()
        if all(self.store.has("frames", self.frames_key(clip, name)) for name in names):
            return 0
        samplings = {name: self.settings.samplings[name] for name in names}
        return expected_bytes(self._locate(clip), samplings, clip.start_s, clip.end_s)

    def masks(self, clip: Clip, sampling: str | None = None) -> StoredObject:
        """`masks` (T, H, W) as packed bits of all persons' pixels; meta: `shape`, `coverage` per frame.

        Args:
            sampling: whose frames; by default those that are featurized.
        """
        name = sampling or self.settings.featurize.sampling
        key = self.masks_key(clip, name)
        return self.store.take("masks", key, lambda: self._segment(clip, name, key))

    def measurements(self, clip: Clip) -> StoredObject:
        """What faces gave: `numbers` (T, 29) float32, NaN where missing, and where they were found.

        `found` (T, 2) says how, `boxes` (T, 2, 4) and `landmarks_px` (T, 2, 6, 2) where.
        """
        key = self.measurements_key(clip)
        return self.store.take("measurements", key, lambda: self._measure(clip, key))

    def tensors(self, clip: Clip, view: str) -> StoredObject:
        """`frames` (T, height, width, 3) uint8 RGB of a view with pixels."""
        key = self.tensors_key(clip, view)
        return self.store.take("tensors", key, lambda: self._render(clip, view, key))

    def person_masks(self, clip: Clip, sampling: str | None = None) -> np.ndarray:
        """The masks unpacked: bool (T, H, W)."""
        from components.segmentation.base import unpack_masks

        stored = self.masks(clip, sampling)
        return unpack_masks(stored["masks"], tuple(stored.meta["shape"]))

    def objects(self, clip: Clip) -> dict[str, Callable[[], StoredObject]]:
        """Every object that a clip has under these settings, by its name in the store, and what makes it."""
        settings = self.settings
        of_frames = {
            object_name("frames", self.frames_key(clip, name)): partial(self.frames, clip, name)
            for name in settings.frame_samplings()
        }
        of_masks = {
            object_name("masks", self.masks_key(clip, name)): partial(self.masks, clip, name)
            for name in settings.mask_samplings()
        }
        of_numbers = {
            object_name("measurements", self.measurements_key(clip)): partial(self.measurements, clip)
        }
        of_tensors = {
            object_name("tensors", self.tensors_key(clip, name)): partial(self.tensors, clip, name)
            for name, view in settings.views.items()
            if view.height is not None
        }
        return {**of_frames, **of_masks, **of_numbers, **of_tensors}

    def frames_key(self, clip: Clip, sampling: str) -> str:
        """The digest of all that decides a clip's frames."""
        return digest(
            {
                "clip": [clip.sha256, clip.start_s, clip.end_s],
                "sampling": to_dict(self.settings.samplings[sampling]),
                "code": code_digest("components.video.reader"),
                "packages": _versions(_READER_PACKAGES),
            }
        )

    def masks_key(self, clip: Clip, sampling: str) -> str:
        """The digest of all that decides a clip's person masks."""
        from components.segmentation.base import SEGMENTERS, weights_digests

        segment = self.settings.segment
        dense = segment.dense_sampling()
        return digest(
            {
                "frames": self.frames_key(clip, sampling),
                "dense": self.frames_key(clip, dense) if dense else None,
                "settings": segment.in_force(),
                "code": code_digest("components.segmentation.base", SEGMENTERS.module(segment.backend)),
                "weights": weights_digests(segment),
                "packages": _versions(_NETWORK_PACKAGES),
            }
        )

    def measurements_key(self, clip: Clip) -> str:
        """The digest of all that decides a clip's numbers."""
        from components.faces import build

        featurize = self.settings.featurize
        return digest(
            {
                "frames": self.frames_key(clip, featurize.sampling),
                "masks": None if featurize.look_in == "frame" else self.masks_key(clip, featurize.sampling),
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

    def tensors_key(self, clip: Clip, view: str) -> str:
        """The digest of all that decides a clip's tensors of a view."""
        wanted = self.settings.views[view]
        return digest(
            {
                "frames": self.frames_key(clip, wanted.sampling),
                "masks": self.masks_key(clip, wanted.sampling) if _needs_masks(wanted) else None,
                "view": to_dict(wanted),
                "code": code_digest("components.features.views"),
                "packages": _versions(("opencv-python", "numpy")),
            }
        )

    def _read(self, clip: Clip) -> dict[str, StoredObject]:
        from components.video.reader import read_clip

        samplings = {name: self.settings.samplings[name] for name in self.settings.frame_samplings()}
        path = self._locate(clip)
        read = read_clip(path, samplings, clip.start_s, clip.end_s)
        _check_same(path, clip)
        return {
            name: self.store.put(
                "frames",
                self.frames_key(clip, name),
                {"frames": frames.pixels, "times_s": frames.times_s, "indices": frames.indices},
                {**to_dict(read.facts_of(name)), "clip": clip.sha256},
            )
            for name, frames in read.frames.items()
        }

    def _segment(self, clip: Clip, sampling: str, key: str) -> StoredObject:
        from components.segmentation.base import pack_masks

        frames = self.frames(clip, sampling)
        dense = self.settings.segment.dense_sampling()
        masks = _segmenter(self.settings.segment).masks(
            frames["frames"], frames["times_s"], self._dense(clip, dense) if dense else None
        )
        coverage = [round(float(share), 6) for share in masks.mean(axis=(1, 2))]
        meta = {"shape": list(masks.shape), "coverage": coverage, "clip": clip.sha256}
        return self.store.put("masks", key, {"masks": pack_masks(masks)}, meta)

    def _dense(self, clip: Clip, sampling: str) -> Any:
        from components.video.clip_read import Frames

        stored = self.frames(clip, sampling)
        return Frames(stored["frames"], stored["times_s"], stored["indices"])

    def _measure(self, clip: Clip, key: str) -> StoredObject:
        from components.faces.measure import measure_clip

        featurize = self.settings.featurize
        frames = self.frames(clip, featurize.sampling)
        masks = None if featurize.look_in == "frame" else self.person_masks(clip)
        measured = measure_clip(frames["frames"], masks, featurize)
        arrays = {
            "numbers": measured.numbers,
            "found": measured.found,
            "boxes": measured.boxes,
            "landmarks_px": measured.landmarks_px,
            "times_s": frames["times_s"],
        }
        coverage = round(float(np.isfinite(measured.numbers).mean()), 6)
        return self.store.put("measurements", key, arrays, {"coverage": coverage, "clip": clip.sha256})

    def _render(self, clip: Clip, view: str, key: str) -> StoredObject:
        from components.features.views import render

        wanted = self.settings.views[view]
        masks = self.person_masks(clip, wanted.sampling) if _needs_masks(wanted) else None
        pixels = render(self.frames(clip, wanted.sampling)["frames"], masks, wanted)
        return self.store.put("tensors", key, {"frames": pixels}, {"clip": clip.sha256})


def _check_same(path: Path, clip: Clip) -> None:
    """Check that the file is the one that the clip's keys name, else others' frames would be stored."""
    from components.video.probe import printable

    if file_sha256(path) != clip.sha256:
        raise BadDataError(
            f"{printable(clip.clip_id)} is not the file that ingest saw",
            wanted="the bytes that clips.csv tells of",
            remedy="run `tailwatch ingest` or `dvc repro` again",
        )


def _needs_masks(view: View) -> bool:
    return view.height is not None and view.background != "keep"


def _members_code(module: str, *members: tuple[Registry, str]) -> str:
    return code_digest(module, *(registry.module(name) for registry, name in members))


@cache
def _segmenter(settings: SegmentSettings) -> Any:
    """One network per process, made when it is first needed."""
    from components.segmentation.base import build_segmenter

    return build_segmenter(settings)


@cache
def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    return {name: metadata.version(name) for name in packages}
