"""What stands behind the people: places painted by formula or made of photographs without faces."""

from collections.abc import Callable

import cv2
import numpy as np

from components.simulation.photographs import read_picture

PICTURES = {
    "pagoda": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "brick": ("skimage", "data/brick.png"),
    "grass": ("skimage", "data/grass.png"),
    "gravel": ("skimage", "data/gravel.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "coffee": ("skimage", "data/coffee.png"),
}
LICENCES = {
    "pagoda": "china.jpg, (c) danielbuechele, CC BY 2.0, flickr.com/photos/danielbuechele/6061409035",
    "flower": "flower.jpg, (c) vultilion, CC BY 2.0, flickr.com/photos/vultilion/6056698931",
    "brick": "CC0 (CC0Textures, Bricks25)",
    "grass": "CC0 (linolafett, DeviantArt, Grass 01)",
    "gravel": "CC0 (CC0Textures, Gravel04)",
    "rocket": "public domain (SpaceX, launch of DSCOVR)",
    "coffee": "CC0 (Rachel Michetti)",
}


def make_background(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """One place, (height, width, 3) uint8 RGB, mildly out of focus."""
    painters = (_photograph, _wall, _park, _room, _room, _facade)
    painter: Callable[[int, int, np.random.Generator], np.ndarray] = painters[
        int(rng.integers(len(painters)))
    ]
    place = painter(height, width, rng)
    light = cv2.resize(
        rng.normal(1.0, 0.10, (3, 5)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    place = cv2.GaussianBlur(place * light[:, :, None], (0, 0), rng.uniform(1.0, 3.0))
    return np.clip(place, 0, 255).astype(np.uint8)


def _picture(name: str) -> np.ndarray:
    return read_picture(*PICTURES[name]).astype(np.float32)


def _fill(picture: np.ndarray, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A random crop of the picture that fills the size, perhaps mirrored."""
    factor = max(height / picture.shape[0], width / picture.shape[1]) * rng.uniform(1.0, 1.35)
    large = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    y = int(rng.integers(large.shape[0] - height + 1))
    x = int(rng.integers(large.shape[1] - width + 1))
    crop = large[y : y + height, x : x + width]
    return crop[:, ::-1] if rng.random() < 0.5 else crop


def _tile(name: str, height: int, width: int, size: int, tint: np.ndarray) -> np.ndarray:
    """A texture repeated with mirrors, each tile `size` pixels wide, in a colour."""
    tile = cv2.resize(_picture(name), (size, size), interpolation=cv2.INTER_AREA)
    pair = np.concatenate([tile, tile[:, ::-1]], axis=1)
    block = np.concatenate([pair, pair[::-1]], axis=0)
    repeats = (-(-height // block.shape[0]), -(-width // block.shape[1]), 1)
    return np.tile(block, repeats)[:height, :width] * tint


def _tint(rng: np.random.Generator, spread: float = 0.10) -> np.ndarray:
    return np.clip(rng.uniform(0.75, 1.1) + rng.normal(0, spread / 2, 3), 0.4, 1.3).astype(np.float32)


def _photograph(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    name = ("pagoda", "rocket", "flower")[int(rng.integers(3))]
    return _fill(_picture(name), height, width, rng) * _tint(rng)


def _ground(place: np.ndarray, horizon: float, texture: np.ndarray) -> np.ndarray:
    """Lay a floor into the lower part, squeezed towards the horizon."""
    height, width = place.shape[:2]
    top = int(height * horizon)
    deep = height - top
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    floor = np.array([[-0.2, 0], [1.2, 0], [2.5, 1], [-1.5, 1]], np.float32) * np.array(
        [width, deep], np.float32
    )
    matrix = cv2.getPerspectiveTransform(corners, floor)
    return np.concatenate([place[:top], cv2.warpPerspective(texture, matrix, (width, deep))])


def _wall(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    tint = _tint(rng, 0.16) * np.array([1.0, 0.82, 0.72], np.float32)
    upright = _tile("brick", width, height, int(rng.integers(240, 420)), tint)
    wall = np.ascontiguousarray(upright.transpose(1, 0, 2))
    for _ in range(int(rng.integers(0, 3))):
        x, wide = int(rng.integers(width)), int(rng.integers(90, 220))
        colour = tuple(float(value) for value in rng.uniform(40, 150) + rng.normal(0, 15, 3))
        cv2.rectangle(wall, (x, int(height * 0.12)), (x + wide, int(height * 0.9)), (60, 55, 50), 9)
        cv2.rectangle(wall, (x, int(height * 0.12)), (x + wide, int(height * 0.9)), colour, -1)
    return _ground(wall, rng.uniform(0.68, 0.82), _tile("gravel", height, width, 300, _tint(rng)))


def _park(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    sky = np.linspace(1, 0, height, dtype=np.float32)[:, None, None]
    place = np.array([205, 215, 220], np.float32) + sky * np.array([-60, -25, 25], np.float32)
    place = np.broadcast_to(place, (height, width, 3)).copy()
    leaves = _fill(_picture("grass"), height, width, rng) * np.array([0.62, 0.80, 0.45], np.float32)
    clumps = cv2.resize(
        rng.normal(size=(6, 14)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    rise = np.linspace(-2.2, 2.5, height, dtype=np.float32)[:, None]
    share = cv2.GaussianBlur(np.clip((clumps + rise) * 2, 0, 1), (0, 0), 3)[:, :, None]
    place = place * (1 - share) + leaves * share * rng.uniform(0.6, 0.95)
    return _ground(
        place,
        rng.uniform(0.62, 0.78),
        _tile("grass", height, width, 260, np.array([0.75, 0.9, 0.5], np.float32)),
    )


def _room(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    colour = rng.uniform(110, 205) + rng.normal(0, 12, 3)
    place = np.broadcast_to(colour.astype(np.float32), (height, width, 3)).copy()
    place *= cv2.resize(
        rng.normal(1, 0.12, (2, 4)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )[:, :, None]
    for _ in range(int(rng.integers(2, 5))):
        x, y = int(rng.integers(width)), int(rng.integers(int(height * 0.5)))
        wide, high = int(rng.integers(80, 260)), int(rng.integers(80, 240))
        name = ("pagoda", "flower", "coffee", "rocket")[int(rng.integers(4))]
        inner = _fill(_picture(name), high, wide, rng)
        cv2.rectangle(
            place,
            (x - 8, y - 8),
            (x + wide + 8, y + high + 8),
            tuple(float(v) for v in rng.uniform(30, 120, 3)),
            -1,
        )
        part = place[y : y + high, x : x + wide]
        part[:] = inner[: part.shape[0], : part.shape[1]]
    return _ground(place, rng.uniform(0.74, 0.88), _tile("gravel", height, width, 120, _tint(rng) * 0.8))


def _facade(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    place = np.broadcast_to(
        (rng.uniform(90, 190) + rng.normal(0, 14, 3)).astype(np.float32), (height, width, 3)
    ).copy()
    step_x, step_y = int(rng.integers(90, 170)), int(rng.integers(90, 150))
    glass = _fill(_picture("pagoda"), height, width, rng) * 0.5
    for x in range(int(rng.integers(20, 60)), width, step_x):
        for y in range(int(rng.integers(10, 30)), int(height * 0.72), step_y):
            box = (slice(y, y + int(step_y * 0.62)), slice(x, x + int(step_x * 0.58)))
            place[box] = glass[box] + rng.uniform(0, 70)
            cv2.rectangle(place, (x, y), (x + int(step_x * 0.58), y + int(step_y * 0.62)), (70, 70, 70), 3)
    return _ground(place, rng.uniform(0.74, 0.84), _tile("gravel", height, width, 200, _tint(rng) * 0.75))
