"""One clip's way from its file to a model's tensors, each step taken from the store or made.

The stages and serving go the same way through this module, so a prediction sees what training saw.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from components.core.errors import BadDataError
from components.core.settings import to_dict
from components.datasets.clips import Clip
from components.features.clip_length import check_long_enough
from components.features.keys import ChainSettings, ClipKeys, needs_masks
from components.segmentation.base import SegmentSettings
from components.store.store import Store, StoredObject, object_name


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
        self.keys = ClipKeys(settings)
        self._locate = locate

    def frames(self, clip: Clip, sampling: str) -> StoredObject:
        """`frames` (T, H, W, 3) uint8 RGB and `times_s` (T,); meta: what the decoder really saw.

        A clip that is read at all is read for every sampling in use, in the same pass.

        Raises:
            BadDataError: the clip cannot be read.
        """
        return self.store.take("frames", self.keys.frames(clip, sampling), lambda: self._read(clip)[sampling])

    def expected_bytes(self, clip: Clip) -> int:
        """What the clip's frames will take; 0 where they are in the store.

        Raises:
            BadDataError: the clip cannot be read.
        """
        from components.video.reader import expected_bytes

        names = self.settings.frame_samplings()
        if all(self.store.has("frames", self.keys.frames(clip, name)) for name in names):
            return 0
        samplings = {name: self.settings.samplings[name] for name in names}
        return expected_bytes(self._locate(clip), samplings, clip.start_s, clip.end_s, rate=_rate(clip))

    def masks(self, clip: Clip, sampling: str | None = None) -> StoredObject:
        """`masks` (T, H, W) as packed bits of all persons' pixels; meta: `shape`, `coverage` per frame.

        Args:
            sampling: whose frames; by default those that are featurized.
        """
        name = sampling or self.settings.featurize.sampling
        key = self.keys.masks(clip, name)
        return self.store.take("masks", key, lambda: self._segment(clip, name, key))

    def measurements(self, clip: Clip) -> StoredObject:
        """What faces gave: `numbers` (T, 29) float32, NaN where missing, and where they were found.

        `found` (T, 2) says how, `boxes` (T, 2, 4) and `landmarks_px` (T, 2, 6, 2) where.
        """
        key = self.keys.measurements(clip)
        return self.store.take("measurements", key, lambda: self._measure(clip, key))

    def tensors(self, clip: Clip, view: str) -> StoredObject:
        """`frames` (T, height, width, 3) uint8 RGB of a view.

        Meta: their `times_s`; how many `frames` the sampling has, and how many of them are `kept` in focus.
        """
        key = self.keys.tensors(clip, view)
        return self.store.take("tensors", key, lambda: self._render(clip, view, key))

    def activations(self, clip: Clip, view: str) -> StoredObject:
        """`activations` (NUMBERS,) float32 of a view that has them.

        Raises:
            BadDataError: too few frames.
        """
        key = self.keys.activations(clip, view)
        return self.store.take("activations", key, lambda: self._activate(clip, view, key))

    def person_masks(self, clip: Clip, sampling: str | None = None) -> np.ndarray:
        """The masks unpacked: bool (T, H, W)."""
        from components.segmentation.base import unpack_masks

        stored = self.masks(clip, sampling)
        return unpack_masks(stored["masks"], tuple(stored.meta["shape"]))

    def objects(self, clip: Clip) -> dict[str, Callable[[], StoredObject]]:
        """Every object that a clip has under these settings, by its name in the store, and what makes it."""
        settings = self.settings
        of_frames = {
            object_name("frames", self.keys.frames(clip, name)): partial(self.frames, clip, name)
            for name in settings.frame_samplings()
        }
        of_masks = {
            object_name("masks", self.keys.masks(clip, name)): partial(self.masks, clip, name)
            for name in settings.mask_samplings()
        }
        of_numbers = {
            object_name("measurements", self.keys.measurements(clip)): partial(self.measurements, clip)
        }
        of_tensors = {
            object_name("tensors", self.keys.tensors(clip, name)): partial(self.tensors, clip, name)
            for name, view in settings.views.items()
            if view.height is not None
        }
        of_activations = {
            object_name("activations", self.keys.activations(clip, name)): partial(
                self.activations, clip, name
            )
            for name in settings.activation_views()
        }
        return {**of_frames, **of_masks, **of_numbers, **of_tensors, **of_activations}

    def _activate(self, clip: Clip, view: str, key: str) -> StoredObject:
        from components.features.activations import activation_changes

        stored = self.frames(clip, self.settings.views[view].sampling)
        check_long_enough(len(stored["times_s"]), stored.meta["span_s"], view)
        changes = activation_changes(stored["frames"])
        return self.store.put("activations", key, {"activations": changes}, {"clip": clip.sha256})

    def _read(self, clip: Clip) -> dict[str, StoredObject]:
        from components.video.reader import read_clip

        samplings = {name: self.settings.samplings[name] for name in self.settings.frame_samplings()}
        path = self._locate(clip)
        read = read_clip(path, samplings, clip.start_s, clip.end_s, rate=_rate(clip))
        _check_same(path, clip)
        return {
            name: self.store.put(
                "frames",
                self.keys.frames(clip, name),
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
        from components.features.views import lay_out

        wanted = self.settings.views[view]
        masks = self.person_masks(clip, wanted.sampling) if needs_masks(wanted) else None
        frames = self.frames(clip, wanted.sampling)
        rendered = lay_out(frames["frames"], masks, wanted)
        meta = {
            "clip": clip.sha256,
            "times_s": frames["times_s"][rendered.indices].tolist(),
            "frames": len(frames["times_s"]),
            "kept": rendered.kept,
        }
        return self.store.put("tensors", key, {"frames": rendered.pixels}, meta)


def _check_same(path: Path, clip: Clip) -> None:
    """Check that the file is the one that the clip's keys name, else others' frames would be stored."""
    from components.video.probe import printable
    from components.video.sequence import content_sha256

    if content_sha256(path) != clip.sha256:
        raise BadDataError(
            f"{printable(clip.clip_id)} is not the file that ingest saw",
            wanted="the bytes that clips.csv tells of",
            remedy="run `tailwatch ingest` or `dvc repro` again",
        )


def _rate(clip: Clip) -> Fraction | None:
    return Fraction(clip.rate) if clip.rate else None


@cache
def _segmenter(settings: SegmentSettings) -> Any:
    """One network per process, made when it is first needed."""
    from components.segmentation.base import build_segmenter

    return build_segmenter(settings)
