"""What is true of every frame of a simulated clip: written beside the sample, read to measure accuracy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.core.errors import BadDataError
from components.core.files import atomic_path

MASK_SCALE = 2
"""Masks are kept at one half of the frame's width and height."""


@dataclass(frozen=True)
class Truth:
    """The truth of one clip of T frames and two people; person 0 is the near one (larger face) throughout.

    Coordinates are pixels of the frame, pixel centres at whole numbers. Angles follow the head pose module:
    degrees, yaw > 0 to the image's right, pitch > 0 up, roll > 0 clockwise as seen. The camera is a long
    lens (parallel rays), so an angle is the same wherever in the frame the head is.

    Attributes:
        width_px: of the frame.
        height_px: of the frame.
        times_s: (T,) float64.
        points_px: nose (its base), chin, left_eye, right_eye, left_mouth, right_mouth, nose_tip;
            (T, 2, 7, 2) float64 x, y; left is the image's left.
        hidden: points behind the other person or the head itself, or out of the frame; (T, 2, 7) bool.
        pose_deg: yaw, pitch, roll; (T, 2, 3) float64.
        face_height_px: chin to hairline of a face that looks straight ahead; (T, 2) float64.
        distance_px: between the two noses (base); (T,) float64.
        masks: visible pixels of each person at half size; (T, 2, h, w) bool.
        label: class of the clip.
        source: film of the clip.
        manner: what the two do.
    """

    width_px: int
    height_px: int
    times_s: np.ndarray
    points_px: np.ndarray
    hidden: np.ndarray
    pose_deg: np.ndarray
    face_height_px: np.ndarray
    distance_px: np.ndarray
    masks: np.ndarray
    label: str
    source: str
    manner: str


def write_truth(path: Path, truth: Truth) -> None:
    """Write a clip's truth as npz without pickles, masks as packed bits; same truth, same bytes."""
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(
            stream,
            size_px=np.array([truth.width_px, truth.height_px]),
            times_s=truth.times_s,
            points_px=truth.points_px,
            hidden=truth.hidden,
            pose_deg=truth.pose_deg,
            face_height_px=truth.face_height_px,
            distance_px=truth.distance_px,
            masks=np.packbits(truth.masks, axis=-1),
            mask_width=np.array(truth.masks.shape[-1]),
            words=np.array([truth.label, truth.source, truth.manner]),
        )


def read_truth(path: Path) -> Truth:
    """Read a clip's truth.

    Raises:
        BadDataError: the file is missing or is no truth.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
        label, source, manner = (str(word) for word in held["words"])
        width, height = (int(value) for value in held["size_px"])
        masks = np.unpackbits(held["masks"], axis=-1, count=int(held["mask_width"])).astype(bool)
        return Truth(
            width,
            height,
            held["times_s"],
            held["points_px"],
            held["hidden"],
            held["pose_deg"],
            held["face_height_px"],
            held["distance_px"],
            masks,
            label,
            source,
            manner,
        )
    except (OSError, KeyError, ValueError) as error:
        raise BadDataError(
            f"{path}: no truth of a simulated clip ({error})",
            wanted="an npz of `tailwatch sample`",
            remedy="make it again",
        ) from error
