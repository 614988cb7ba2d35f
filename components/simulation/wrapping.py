"""The photograph wrapped round the head: a picture over (y, theta) that the surface is painted with.

The photograph is laid on from the front. Where the front cannot see, the picture's edge is mirrored for a
little and passes into hair (or hat), so that a head turned by up to about 50 degrees shows no seam.
"""

import cv2
import numpy as np

from components.simulation.photographs import Photograph
from components.simulation.surface import ANGLES, BOTTOM, HEIGHTS, TOP, angles_rad

SCALE = 3
LEVELS = 3


def wrap(photograph: Photograph, pixels: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, ...]:
    """Make the textures of a head.

    Args:
        photograph: the marks.
        pixels: the photograph as this person wears it, (H, W, 3) uint8 RGB.
        radius: the surface, (HEIGHTS, ANGLES).

    Returns:
        RGB pictures over (y, theta), uint8; the first has SCALE pixels per cell of the surface, each next
        one half of it.
    """
    unit, (cx, cy) = photograph.face_height_px, photograph.centre_px
    rows = np.linspace(TOP, BOTTOM, HEIGHTS * SCALE)
    columns = np.tile(np.arange(ANGLES * SCALE, dtype=np.float32) / SCALE, (HEIGHTS * SCALE, 1))
    at_row = np.linspace(0, HEIGHTS - 1, HEIGHTS * SCALE, dtype=np.float32)
    down = np.tile(at_row[:, None], (1, ANGLES * SCALE))
    seen_x = cv2.remap(_front_x(radius), columns, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    map_x = (cx + unit * seen_x).astype(np.float32)
    map_y = np.broadcast_to((cy + unit * rows)[:, None], map_x.shape).astype(np.float32)
    front = cv2.remap(
        _grown(photograph, pixels), map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    theta = (np.arange(ANGLES * SCALE) / (ANGLES * SCALE) - 0.5) * 2 * np.pi
    share = np.clip((np.abs(theta) - np.radians(88)) / np.radians(20), 0, 1)[None, :, None]
    share = share * share * (3 - 2 * share)
    back = _back(photograph, pixels, rows, theta)
    texture = np.clip(front * (1 - share) + back * share, 0, 255).astype(np.uint8)
    levels = [texture]
    for _ in range(LEVELS - 1):
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return tuple(levels)


def _front_x(radius: np.ndarray) -> np.ndarray:
    """The x, as seen from the front, where each cell reads the photograph; mirrored past the outline."""
    theta = angles_rad()
    x = radius * np.sin(theta)[None, :]
    folded = np.empty_like(x)
    middle = ANGLES // 2
    for side in (-1, 1):
        columns = np.arange(middle, ANGLES - 1) if side > 0 else np.arange(middle, 0, -1)
        outward = np.abs(x[:, columns])
        furthest = np.maximum.accumulate(outward, axis=1)
        past = np.cumsum(furthest - outward > 1e-6, axis=1) / ANGLES * 2 * np.pi * radius[:, columns]
        limit = 0.97 * furthest
        folded[:, columns] = side * np.minimum(np.maximum(limit - 0.25 * past, 0), limit)
        early = outward >= furthest - 1e-6
        folded[:, columns] = np.where(
            early, side * np.minimum(outward, 0.985 * outward.max(axis=1, keepdims=True)), folded[:, columns]
        )
    folded[:, [0, -1]] = folded[:, [1, -2]]
    return folded.astype(np.float32)


def _outline_mask(photograph: Photograph, shape: tuple[int, int]) -> np.ndarray:
    """Pixels that surely belong to the head, (H, W) uint8, 1 inside."""
    spans = photograph.outline
    inset = 2 + photograph.face_height_px / 100
    ring = [(left + inset, y) for y, left, _ in spans] + [(right - inset, y) for y, _, right in spans[::-1]]
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(np.array(ring)).astype(np.int32)], 1)
    return cv2.erode(mask, np.ones((3, 3), np.uint8))


def _grown(photograph: Photograph, pixels: np.ndarray) -> np.ndarray:
    """The photograph with the head's colours grown outwards over its background."""
    mask = _outline_mask(photograph, pixels.shape[:2])
    _, labels = cv2.distanceTransformWithLabels(1 - mask, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colours = np.zeros((int(labels.max()) + 1, 3), np.uint8)
    colours[labels[mask == 1]] = pixels[mask == 1]
    grown = colours[labels]
    soft = cv2.GaussianBlur(grown, (0, 0), 2.5)
    return np.where(mask[:, :, None] == 1, pixels, soft)


def _patch(pixels: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    return pixels[box[1] : box[3], box[0] : box[2]]


def _tiled(patch: np.ndarray, height: int, width: int) -> np.ndarray:
    """A patch repeated with mirrors to fill (height, width, 3)."""
    pair = np.concatenate([patch, patch[:, ::-1]], axis=1)
    block = np.concatenate([pair, pair[::-1]], axis=0)
    repeats = (-(-height // block.shape[0]), -(-width // block.shape[1]), 1)
    return np.tile(block, repeats)[:height, :width]


def _back(photograph: Photograph, pixels: np.ndarray, rows: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Sides and back: hair, a hat's colour above its brim, skin below the hair; (rows, theta, 3) float32."""
    unit, (_, cy) = photograph.face_height_px, photograph.centre_px
    patch = _patch(pixels, photograph.hair_box).astype(np.float32)
    grain = cv2.resize(patch, None, fx=2.2, fy=2.2, interpolation=cv2.INTER_LINEAR)
    grain = grain.mean(axis=(0, 1)) + 0.6 * (grain - cv2.GaussianBlur(grain, (0, 0), 12))
    back = _tiled(grain, len(rows), len(theta)).astype(np.float32)
    if photograph.hat_bottom_y is not None:
        back = _with_hat(photograph, pixels, rows, back)
    skin = _patch(pixels, photograph.skin_box).reshape(-1, 3).mean(axis=0) * 0.8
    mouth_y = (photograph.points[4][1] - cy) / unit
    share = np.clip((rows - mouth_y + 0.10) / 0.14, 0, 1)[:, None, None]
    return (back * (1 - share) + skin * share) * 0.92


def _with_hat(photograph: Photograph, pixels: np.ndarray, rows: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Rows above the brim take the hat's own colour at the outline of that row."""
    unit, (_, cy) = photograph.face_height_px, photograph.centre_px
    outline = np.array(photograph.outline)
    y = np.clip(cy + unit * rows, outline[0, 0], outline[-1, 0])
    edge = np.interp(y, outline[:, 0], outline[:, 2]) - 6
    colour = pixels[np.round(y).astype(int), np.round(edge).astype(int)].astype(np.float32)
    colour = cv2.GaussianBlur(colour[:, None, :], (1, 9), 0, sigmaY=2.0)
    hat_y = ((photograph.hat_bottom_y or 0.0) - cy) / unit
    share = np.clip((hat_y + 0.03 - rows) / 0.04, 0, 1)[:, None, None].astype(np.float32)
    return back * (1 - share) + colour.reshape(-1, 1, 3) * share
