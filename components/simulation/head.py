"""A person's head: the surface, the photograph wrapped round it and the marked points lifted onto it."""

from dataclasses import dataclass

import numpy as np

from components.simulation.photographs import Photograph
from components.simulation.pose import rotation
from components.simulation.surface import Build, margin, normals_table, radius_table
from components.simulation.wrapping import wrap


@dataclass(frozen=True)
class Head:
    """A head ready to be drawn.

    Attributes:
        photograph: what it was made from.
        build: its proportions.
        radius: r(theta, y), (HEIGHTS, ANGLES) float32; column 180 faces the front, row 0 is the top.
        normals: outward unit normals in head axes, (HEIGHTS, ANGLES, 3) float32.
        textures: RGB over (y, theta), each level half the one before, uint8.
        points: the seven marked points on the surface in head axes, (7, 3) float64.
        own_pose: matrix (3, 3) of the photographed head's own small turn, which poses are measured from.
    """

    photograph: Photograph
    build: Build
    radius: np.ndarray
    normals: np.ndarray
    textures: tuple[np.ndarray, ...]
    points: np.ndarray
    own_pose: np.ndarray


def make_head(photograph: Photograph, pixels: np.ndarray, build: Build) -> Head:
    """Model a head.

    Args:
        photograph: the marks.
        pixels: the photograph as this person wears it (tinted, lightened), (H, W, 3) uint8 RGB.
        build: the person's proportions.
    """
    radius = radius_table(photograph, build)
    return Head(
        photograph=photograph,
        build=build,
        radius=radius,
        normals=normals_table(radius),
        textures=wrap(photograph, pixels, radius),
        points=_points_on_surface(photograph, build, radius),
        own_pose=rotation(photograph.own_yaw_deg, 0.0, photograph.own_roll_deg),
    )


def _points_on_surface(photograph: Photograph, build: Build, radius: np.ndarray) -> np.ndarray:
    """The marked points lifted from the photograph onto the surface along the line of sight, (7, 3)."""
    flat = (photograph.points_px - photograph.centre_px) / photograph.face_height_px
    x, y = flat[:, 0], flat[:, 1]
    near, far = np.full(len(x), 1.2), np.zeros(len(x))
    for _ in range(40):
        z = (near + far) / 2
        inside = margin(radius, *(part[None].astype(np.float32) for part in (x, y, z)))[0] > 0
        far, near = np.where(inside, z, far), np.where(inside, near, z)
    return np.stack([x * build.narrow, y, (near + far) / 2], axis=1)
