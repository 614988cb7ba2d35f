"""A head drawn in a pose: rays through a coarse grid, what they hit interpolated and painted at full size."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from components.simulation.head import Head
from components.simulation.surface import locate, margin

HALF_WIDTH = 0.80
ABOVE, BELOW = 1.12, 0.88
CELLS = 34
"""Rays per face height."""
NEAR, FAR, STEPS = 0.74, -0.28, 13
"""Depths at which rays are first tried, in face heights from the pivot."""
PIVOT = np.array([0.0, 0.42, -0.08])
"""The point a head turns about, in head axes: the top of the neck."""


@dataclass(frozen=True)
class HeadView:
    """A drawn head.

    Attributes:
        colour: (h, w, 3) float32 RGB, 0 .. 255, lit.
        alpha: (h, w) float32, 0 .. 1.
        left_px: column of the picture where colour begins.
        top_px: row of the picture where colour begins.
        points_px: the seven marked points in the picture, (7, 2) float64.
        hidden: points that the head itself hides, (7,) bool.
    """

    colour: np.ndarray
    alpha: np.ndarray
    left_px: int
    top_px: int
    points_px: np.ndarray
    hidden: np.ndarray


def project(head: Head, turn: np.ndarray, scale_px: float, at_px: tuple[float, float]) -> np.ndarray:
    """The seven points in the picture and their depth.

    Args:
        head: whose.
        turn: head axes to camera axes, (3, 3).
        scale_px: height of the face, pixels.
        at_px: where the pivot lies in the picture.

    Returns:
        (7, 3): x, y in pixels, and depth towards the viewer in face heights.
    """
    seen = (head.points - PIVOT) @ (turn @ head.own_pose.T).T
    return np.column_stack([seen[:, :2] * scale_px + at_px, seen[:, 2]])


def draw_head(
    head: Head, turn: np.ndarray, scale_px: float, at_px: tuple[float, float], light: np.ndarray
) -> HeadView:
    """Draw a head.

    Args:
        head: whose.
        turn: head axes to camera axes, (3, 3).
        scale_px: height of the face, pixels.
        at_px: where the pivot lies in the picture.
        light: direction towards the lamp in camera axes, its length the strength of the shading, (3,).
    """
    left, top = (
        int(np.floor(at_px[0] - HALF_WIDTH * scale_px)),
        int(np.floor(at_px[1] - (ABOVE + PIVOT[1]) * scale_px)),
    )
    width, height = int(2 * HALF_WIDTH * scale_px) + 2, int((ABOVE + BELOW) * scale_px) + 2
    matrix = (turn @ head.own_pose.T).astype(np.float32)
    grid = _grid(round(width / scale_px, 2), round(height / scale_px, 2))
    rays = grid.reshape(-1, 2) + np.array(
        [(left - at_px[0]) / scale_px, (top - at_px[1]) / scale_px], np.float32
    )
    hits, deepest = _cast(head, matrix, rays)
    fields = np.concatenate([hits, deepest[None], _shade(head, matrix, hits, light)[None]])
    *full, depth, shade = _enlarge(fields, grid.shape[:2], (width, height), scale_px)
    colour = _paint(head, full, scale_px) * shade[:, :, None]
    alpha = np.clip(depth * np.float32(scale_px / 1.3) + np.float32(0.5), 0, 1)
    points = project(head, turn, scale_px, at_px)
    back_x, back_y, back_z = (float(value) for value in matrix[2] * (head.build.narrow, 1, 1))
    seen = full[0] * back_x + full[1] * back_y + full[2] * back_z - float(matrix[2] @ PIVOT)
    return HeadView(colour, alpha, left, top, points[:, :2], _hidden(seen, points - (left, top, 0)))


@lru_cache(maxsize=64)
def _grid(width: float, height: float) -> np.ndarray:
    """Ray positions relative to the first, (rows, columns, 2), in face heights."""
    xs, ys = np.meshgrid(np.arange(int(width * CELLS) + 3), np.arange(int(height * CELLS) + 3))
    return (np.stack([xs, ys], axis=-1) / CELLS).astype(np.float32)


def _cast(head: Head, matrix: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where parallel rays first meet the head.

    Args:
        head: whose.
        matrix: surface axes to camera axes, (3, 3) float32.
        rays: (n, 2) float32, x and y in camera axes from the pivot.

    Returns:
        Points in surface axes (3, n), its x before `narrow`; and how deep under the surface each ray gets,
        (n,).
    """
    thin = np.array([1 / head.build.narrow, 1, 1], np.float32)[:, None]
    origin = (matrix[:2].T @ rays.T + PIVOT.astype(np.float32)[:, None]) * thin
    direction = matrix[2][:, None] * thin
    depths = np.linspace(NEAR, FAR, STEPS, dtype=np.float32)[:, None]
    margins = margin(head.radius, *(origin[axis] + depths * direction[axis] for axis in range(3)))
    first = np.argmax(margins > 0, axis=0)
    deepest = margins.max(axis=0)
    missed = deepest <= 0
    first[missed] = margins.argmax(axis=0)[missed]
    far = depths[first, 0]
    near = np.where(missed, far, depths[np.maximum(first - 1, 0), 0])
    for _ in range(5):
        middle = (near + far) / 2
        inside = (
            margin(head.radius, *((origin[axis] + middle * direction[axis])[None] for axis in range(3)))[0]
            > 0
        )
        far, near = np.where(inside, middle, far), np.where(inside, near, middle)
    return origin + direction * ((near + far) / 2), deepest


def _shade(head: Head, matrix: np.ndarray, hits: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Brightness factor of each hit, (n,): a soft lamp on top of the photograph's own light."""
    columns, rows, _ = locate(head.normals.shape, hits[:1], hits[1:2], hits[2:])
    normal = cv2.remap(head.normals, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
    seen = normal @ matrix.T
    under = np.clip(seen[:, 1] - 0.35, 0, 1) * 0.45
    return np.clip(
        0.97 + seen @ light.astype(np.float32) - under - 0.10 * (1 - np.clip(seen[:, 2], 0, 1)) ** 2, 0.3, 1.5
    )


def _enlarge(
    fields: np.ndarray, shape: tuple[int, int], size: tuple[int, int], scale_px: float
) -> list[np.ndarray]:
    """The rays' fields (channels, n) at every pixel of the patch, each (height, width) float32."""
    step = CELLS / scale_px
    matrix = np.array([[step, 0, 0], [0, step, 0]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return [
        cv2.warpAffine(field.reshape(shape), matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        for field in fields
    ]


def _paint(head: Head, hits: list[np.ndarray], scale_px: float) -> np.ndarray:
    """Colours of surface points, (h, w, 3) uint8."""
    level = int(np.clip(np.round(np.log2(150 / scale_px)), 0, len(head.textures) - 1))
    columns, rows, _ = locate(head.textures[0].shape, *hits)
    if level:
        columns, rows = (
            (part + np.float32(0.5)) / np.float32(2**level) - np.float32(0.5) for part in (columns, rows)
        )
    return cv2.remap(head.textures[level], columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _hidden(seen: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Which of the points lie behind another part of the head.

    Args:
        seen: depth of the surface at each pixel of the patch, (h, w).
        points: x, y in pixels of the patch, and depth, (7, 3).
    """
    columns = np.clip(np.round(points[:, 0]).astype(int), 0, seen.shape[1] - 1)
    rows = np.clip(np.round(points[:, 1]).astype(int), 0, seen.shape[0] - 1)
    return seen[rows, columns] > points[:, 2] + 0.05
