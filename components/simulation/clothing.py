"""Bodies: a flat picture of neck, torso, arms and legs, drawn once per person and film, moved per frame."""

from dataclasses import dataclass

import cv2
import numpy as np

SCALE = 96
"""Pixels of the picture per face height."""
RAISE = 0.14
"""How far the body is pulled up under the head."""
LEFT, TOP = -1.6, -0.35
WIDTH, HEIGHT = 3.2, 7.6
PATTERNS = ("plain", "plain", "knit", "stripes", "check")

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Outfit:
    """What a person wears.

    Attributes:
        cloth: colour of jacket or shirt.
        accent: second colour of its pattern, and of what shows at the neck.
        trousers: colour below the hips.
        pattern: one of PATTERNS.
        open_collar: whether a jacket is open over a shirt.
        broad: width of the shoulders against the plain one.
    """

    cloth: Colour
    accent: Colour
    trousers: Colour
    pattern: str
    open_collar: bool
    broad: float


@dataclass(frozen=True)
class Body:
    """A drawn body: colour times alpha, and alpha, (h, w, 4) uint8; the pivot is at (-LEFT, -TOP) * SCALE."""

    pixels: np.ndarray


def draw_body(outfit: Outfit, skin: np.ndarray, light: np.ndarray, rng: np.random.Generator) -> Body:
    """Draw a body.

    Args:
        outfit: what it wears.
        skin: colour of the neck, (3,).
        light: direction towards the lamp in camera axes, (3,).
        rng: for folds and weave.
    """
    shape = (int(HEIGHT * SCALE), int(WIDTH * SCALE))
    folds = _folds(shape, rng)
    cloth = _cloth(outfit, shape, rng)
    colour = np.zeros((*shape, 3), np.float32)
    alpha = np.zeros(shape, np.float32)
    trousers = np.broadcast_to(np.array(outfit.trousers, np.float32), colour.shape)
    for outlines, paint, depth, rough in (
        (_legs(outfit.broad), trousers, 0.35, 1.0),
        ([_neck()], np.broadcast_to(skin.astype(np.float32), colour.shape), 0.45, 0.0),
        ([_torso(outfit.broad)], cloth, 0.55, 1.0),
        (_arms(outfit.broad), cloth, 0.28, 1.0),
    ):
        for outline in outlines:
            mask = _mask(outline, shape)
            lit = paint * _relight(mask, depth, folds * rough, light)[:, :, None]
            colour = colour * (1 - mask[:, :, None]) + lit * mask[:, :, None]
            alpha = np.maximum(alpha, mask)
    colour = _collar(colour, outfit, skin, light)
    colour *= _chin_shadow(shape)[:, :, None]
    colour = np.clip(colour, 0, 255) * alpha[:, :, None]
    return Body(np.round(np.dstack([colour, alpha * 255])).astype(np.uint8))


def _at(points: list[tuple[float, float]] | np.ndarray) -> np.ndarray:
    """Body coordinates (face heights from the pivot) to pixels of the picture."""
    return (np.asarray(points, dtype=np.float64) - (LEFT, TOP + RAISE)) * SCALE


def _smooth(points: list[tuple[float, float]]) -> np.ndarray:
    """A closed outline through the points without corners, (n, 2) pixels."""
    ring = _at(points)
    steps = np.linspace(0, len(ring), 24 * len(ring), endpoint=False)
    first = steps.astype(int)
    t = (steps - first)[:, None]
    p0, p1, p2, p3 = (ring[(first + k) % len(ring)] for k in (-1, 0, 1, 2))
    return 0.5 * (
        2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )


def _mask(outline: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """An outline filled, edges smooth, (h, w) float32, 0 .. 1."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (0, 0), 0.8).astype(np.float32) / 255


def _neck() -> np.ndarray:
    return _smooth(
        [
            (-0.34, -0.30),
            (0.34, -0.30),
            (0.33, 0.10),
            (0.37, 0.34),
            (0.42, 0.58),
            (0.0, 0.85),
            (-0.42, 0.58),
            (-0.37, 0.34),
            (-0.33, 0.10),
        ]
    )


def _torso(broad: float) -> np.ndarray:
    right = [
        (0.34, 0.34),
        (0.62, 0.50),
        (0.98, 0.66),
        (1.12, 0.95),
        (1.02, 1.5),
        (0.86, 2.2),
        (0.80, 2.8),
        (0.84, 3.4),
        (0.84, 3.75),
    ]
    points = [(0.0, 0.55)] + [(x * broad, y) for x, y in right]
    return _smooth(points + [(-x, y) for x, y in points[:0:-1]])


def _arms(broad: float) -> list[np.ndarray]:
    right = [
        (0.92, 0.68),
        (1.18, 0.82),
        (1.32, 1.3),
        (1.38, 2.1),
        (1.36, 3.0),
        (1.30, 3.6),
        (1.14, 3.6),
        (1.08, 3.0),
        (1.04, 2.1),
        (0.98, 1.4),
    ]
    return [_smooth([(side * x * broad, y) for x, y in right]) for side in (-1, 1)]


def _legs(broad: float) -> list[np.ndarray]:
    right = [
        (0.02, 3.5),
        (0.84, 3.5),
        (0.82, 4.6),
        (0.70, 5.8),
        (0.62, 7.4),
        (0.22, 7.4),
        (0.16, 5.8),
        (0.04, 4.4),
    ]
    return [_smooth([(side * x * broad, y) for x, y in right]) for side in (-1, 1)]


def _folds(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Wrinkles of cloth as a height field, (h, w) float32."""
    small = rng.normal(size=(shape[0] // 10, shape[1] // 14)).astype(np.float32)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), 1.3), shape[::-1], interpolation=cv2.INTER_CUBIC) * 9


def _relight(mask: np.ndarray, depth: float, folds: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Brightness of a part blown up like a cushion of the given depth (face heights), (h, w) float32."""
    inside = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    reach = depth * SCALE
    bulge = np.sqrt(np.clip(1 - (1 - np.clip(inside / reach, 0, 1)) ** 2, 0, 1)) * reach
    height = cv2.GaussianBlur(bulge + folds, (0, 0), 3.0)
    slope_x, slope_y = (
        cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8),
        cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8),
    )
    length = np.sqrt(slope_x**2 + slope_y**2 + 1)
    seen = (-slope_x * light[0] - slope_y * light[1] + light[2]) / length
    return np.clip(0.72 + 0.28 / length + 1.6 * seen, 0.25, 1.5)


def _cloth(outfit: Outfit, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The pattern of the cloth, (h, w, 3) float32 RGB."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32) / SCALE
    waves = {
        "plain": np.zeros(shape, np.float32),
        "knit": 0.25 * (np.sin(xs * 130) * np.sin(ys * 110) > 0.2),
        "stripes": 0.8 * (np.sin(ys * 26 + 0.4 * np.sin(xs * 3)) > 0.45),
        "check": 0.35 * (np.sin(xs * 21) > 0.55) + 0.35 * (np.sin(ys * 21) > 0.55),
    }[outfit.pattern].astype(np.float32)
    share = cv2.GaussianBlur(waves, (0, 0), 1.0)[:, :, None]
    base, accent = np.array(outfit.cloth, np.float32), np.array(outfit.accent, np.float32)
    weave = 1 + 0.035 * rng.standard_normal(shape).astype(np.float32)[:, :, None]
    return (base * (1 - share) + accent * share) * weave


def _collar(colour: np.ndarray, outfit: Outfit, skin: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Neckline: an open jacket over a shirt, or a round collar."""
    shape = colour.shape[:2]
    shirt = np.array(outfit.accent, np.float32)
    if outfit.open_collar:
        vee = _mask(
            _at(
                [
                    (-0.36, 0.36),
                    (0.0, 0.62),
                    (0.36, 0.36),
                    (0.42, 0.5),
                    (0.05, 2.4),
                    (-0.05, 2.4),
                    (-0.42, 0.5),
                ]
            ),
            shape,
        )
        lit = shirt * _relight(vee, 0.3, np.zeros(shape, np.float32), light)[:, :, None]
        colour = colour * (1 - vee[:, :, None]) + lit * vee[:, :, None]
    hollow = _mask(
        _smooth([(-0.33, 0.30), (0.0, 0.42), (0.33, 0.30), (0.22, 0.58), (0.0, 0.72), (-0.22, 0.58)]), shape
    )
    throat = skin.astype(np.float32) * _relight(hollow, 0.3, np.zeros(shape, np.float32), light)[:, :, None]
    colour = colour * (1 - hollow[:, :, None]) + throat * hollow[:, :, None]
    rim = cv2.GaussianBlur(
        cv2.morphologyEx((hollow * 255).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)),
        (0, 0),
        1.0,
    )
    return colour * (1 - 0.35 * (rim[:, :, None].astype(np.float32) / 255))


def _chin_shadow(shape: tuple[int, int]) -> np.ndarray:
    """The head's shadow on neck and chest, (h, w) float32 factor."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32) / SCALE
    x, y = xs + LEFT, ys + TOP
    return 1 - 0.45 * np.exp(-((x / 0.5) ** 2) - (np.maximum(y - 0.16, 0) / 0.18) ** 2)
