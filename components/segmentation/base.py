"""Person masks: what every segmenter takes and gives, its settings, and how masks are stored."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from components.core.registry import Registry
from components.core.settings import to_dict
from components.video.clip_read import Frames

SEGMENTERS = Registry(
    "segmenter",
    {
        "selfie": "components.segmentation.selfie:SelfieSegmenter",
        "motion": "components.segmentation.motion:MotionSegmenter",
        "pixellib": "components.segmentation.pixellib:PixellibSegmenter",
        "none": "components.segmentation.none:NoSegmenter",
    },
)

REFERENCE_SIDE_PX = 640
MASK_RCNN_COCO_SHA256 = "ee7eeb918fe544c8bc1fd0f1f9588bf9f8e0e1055a4d12a98f83fa83c5f8b36d"


@dataclass(frozen=True)
class SelfieSettings:
    """How the selfie-segmentation networks look at a frame.

    Attributes:
        regions: the whole frame; also overlapping tiles; or crops of the persons that a detector proposes.
        min_probability: pixels at or above it are a person's; on tiles the mean of the two surest looks.
        tile_shares: sides of the tiles, as shares of the frame's shorter side, from large to small.
        tile_overlap: share of a tile that the next one sees again.
        min_disagreement: a smaller tile is looked at where one look alone sees a person in more than this
            share of its pixels.
        min_person_score: the person detector's proposals below it are dropped.
        min_presence: crops in which the pose network is less sure of a person are dropped.
    """

    regions: Literal["frame", "tiles", "people"] = "tiles"
    min_probability: float = 0.55
    tile_shares: tuple[float, ...] = (0.63, 0.4)
    tile_overlap: float = 0.4
    min_disagreement: float = 0.02
    min_person_score: float = 0.5
    min_presence: float = 0.5


@dataclass(frozen=True)
class MotionSettings:
    """How moving pixels are told from a fixed camera's background.

    Attributes:
        sampling: the dense sampling from which the background is learned.
        method: OpenCV's nearest-neighbour or Gaussian-mixture model of a pixel.
        threshold: squared distance from the background, in grey levels (knn), or in variances (mog2); by
            default OpenCV's own.
        max_stay: share of the clip for which something may stay in one place before it is background.
        close_share: gaps narrower than this share of the longest side are closed.
        min_blob_share: moving areas smaller than this share of the frame are dropped.
    """

    sampling: str | None = None
    method: Literal["knn", "mog2"] = "knn"
    threshold: float | None = None
    max_stay: float = 0.2
    close_share: float = 0.03
    min_blob_share: float = 0.002


@dataclass(frozen=True)
class PixellibSettings:
    """Mask R-CNN as PixelLib 0.7.1 builds it.

    Attributes:
        weights: path of mask_rcnn_coco.h5; `tailwatch weights` fetches it.
        sha256: digest of the only file that is accepted.
        infer_speed: the picture's side: 1024 px, or 512 (average), 384 (fast), 256 (rapid).
        min_score: persons below it are dropped; by default PixelLib's own for the speed.
        threads: of TensorFlow, in each worker process.
    """

    weights: str | None = None
    sha256: str = MASK_RCNN_COCO_SHA256
    infer_speed: Literal["average", "fast", "rapid"] | None = None
    min_score: float | None = None
    threads: int = 1


@dataclass(frozen=True)
class SegmentSettings:
    """How persons are cut from the background.

    Attributes:
        backend: which segmenter.
        dilate_px: growth of the masks, in pixels of a frame whose longest side is REFERENCE_SIDE_PX, so that
            the edges of faces survive.
    """

    backend: Literal["selfie", "motion", "pixellib", "none"] = "selfie"
    dilate_px: float = 5.0
    selfie: SelfieSettings = field(default_factory=SelfieSettings)
    motion: MotionSettings = field(default_factory=MotionSettings)
    pixellib: PixellibSettings = field(default_factory=PixellibSettings)

    def dense_sampling(self) -> str | None:
        """The sampling that the segmenter needs beside the frames to be masked, if any."""
        return self.motion.sampling if self.backend == "motion" else None

    def in_force(self) -> dict[str, Any]:
        """The settings that decide the masks: no other segmenter's, and no path."""
        if self.backend == "none":
            return {"backend": "none"}
        options = to_dict(getattr(self, self.backend))
        options.pop("weights", None)
        options.pop("threads", None)
        return {"backend": self.backend, "dilate_px": self.dilate_px, self.backend: options}


class Segmenter(Protocol):
    """Finds the pixels of persons."""

    def masks(self, frames: np.ndarray, times_s: np.ndarray, dense: Frames | None) -> np.ndarray:
        """Masks bool (T, H, W), all persons joined.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            times_s: (T,) of each frame in its clip.
            dense: the frames of `SegmentSettings.dense_sampling`, if it names one.
        """


class FrameSegmenter(ABC):
    """A segmenter that looks at each frame alone."""

    @abstractmethod
    def mask(self, frame: np.ndarray) -> np.ndarray:
        """The mask bool (H, W) of one frame (H, W, 3) uint8 RGB, all persons joined."""

    def masks(self, frames: np.ndarray, times_s: np.ndarray, dense: Frames | None) -> np.ndarray:  # noqa: ARG002
        """Masks bool (T, H, W), frame by frame."""
        masks = np.zeros(frames.shape[:3], bool)
        for k, frame in enumerate(frames):
            masks[k] = self.mask(frame)
        return masks


def build_segmenter(settings: SegmentSettings) -> Segmenter:
    """The segmenter that the settings name, its masks grown by `dilate_px`."""
    segmenter: Segmenter = SEGMENTERS.get(settings.backend)(settings)
    if settings.backend == "none" or settings.dilate_px <= 0:
        return segmenter
    return _Dilated(segmenter, settings.dilate_px)


def weights_digests(settings: SegmentSettings) -> dict[str, str]:
    """SHA-256 of the third-party weights in use, by name."""
    digests: dict[str, str] = SEGMENTERS.get(settings.backend).weights_digests(settings)
    return digests


def pack_masks(masks: np.ndarray) -> np.ndarray:
    """Masks bool (T, H, W) as uint8 (ceil(T H W / 8),), one bit a pixel."""
    return np.packbits(masks)


def unpack_masks(packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The masks bool (T, H, W) of a given shape, from their bits."""
    return np.unpackbits(packed, count=int(np.prod(shape))).astype(bool).reshape(shape)


def dilate(masks: np.ndarray, reference_px: float) -> np.ndarray:
    """Masks (T, H, W) grown by a disc, whose radius scales with the frame."""
    import cv2

    radius = round(reference_px * max(masks.shape[1:]) / REFERENCE_SIDE_PX)
    if radius < 1:
        return masks
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    grown = [cv2.dilate(mask, disc) for mask in masks.view(np.uint8)]
    return np.stack(grown).view(bool) if grown else masks


class _Dilated:
    def __init__(self, segmenter: Segmenter, reference_px: float) -> None:
        self._segmenter = segmenter
        self._reference_px = reference_px

    def masks(self, frames: np.ndarray, times_s: np.ndarray, dense: Frames | None) -> np.ndarray:
        return dilate(self._segmenter.masks(frames, times_s, dense), self._reference_px)
