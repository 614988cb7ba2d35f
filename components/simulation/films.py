"""A film: one place, one camera and light, two people in their clothes; it is one source group."""

from dataclasses import dataclass

import cv2
import numpy as np

from components.simulation.backgrounds import make_background
from components.simulation.behaviour import Stage
from components.simulation.clothing import PATTERNS, Body, Outfit, draw_body
from components.simulation.head import Head, make_head
from components.simulation.photographs import PHOTOGRAPHS, Photograph, mirrored, read_picture
from components.simulation.surface import Build

MARGIN_PX = 140
"""How much wider than the frame a background is on each side, for the camera to turn."""
LIFT_PX = 30


@dataclass(frozen=True)
class Person:
    """One actor of a film."""

    head: Head
    body: Body


@dataclass(frozen=True)
class Film:
    """All that a film's clips share.

    Attributes:
        name: the source group.
        stage: the camera.
        people: the near and the far one of each clip are these two, in an order drawn per clip.
        background: wider than the frame by MARGIN_PX left and right, LIFT_PX above and below, uint8 RGB.
        light: lamp in camera axes, its length the strength of the shading.
        noise: one frame-and-more of the sensor's noise, int16.
        blur_px: sigma of the lens.
        flicker: standard deviation of the brightness from frame to frame.
    """

    name: str
    stage: Stage
    people: tuple[Person, Person]
    background: np.ndarray
    light: np.ndarray
    noise: np.ndarray
    blur_px: float
    flicker: float


def make_film(name: str, width: int, height: int, per_second: int, rng: np.random.Generator) -> Film:
    """Cast and furnish a film.

    Args:
        name: the source group.
        width: of the frame, pixels.
        height: of the frame, pixels.
        per_second: frames per second.
        rng: where all chance of the film comes from.
    """
    near_face = height * rng.uniform(0.18, 0.33)
    stage = Stage(width, height, per_second, near_face, eye_line_px=height * rng.uniform(0.27, 0.38))
    light = np.array([rng.uniform(-0.20, 0.20), rng.uniform(-0.16, 0.0), rng.uniform(0.0, 0.08)])
    colour = rng.uniform(0.82, 1.08) * np.array([1.0, rng.uniform(0.97, 1.02), rng.uniform(0.92, 1.06)])
    order = rng.permutation(len(PHOTOGRAPHS))
    photographs = [list(PHOTOGRAPHS.values())[k] for k in order]
    people = tuple(_person(photograph, colour, light, rng) for photograph in photographs)
    background = make_background(height + 2 * LIFT_PX, width + 2 * MARGIN_PX, rng).astype(np.float32) * colour
    noise = rng.normal(0, rng.uniform(0.8, 2.6), (height + 64, width + 64, 3))
    return Film(
        name=name,
        stage=stage,
        people=(people[0], people[1]),
        background=np.clip(background, 0, 255).astype(np.uint8),
        light=light,
        noise=np.round(noise).astype(np.int16),
        blur_px=rng.uniform(0.4, 0.9),
        flicker=rng.uniform(0.0, 0.012),
    )


def _person(
    photograph: Photograph, colour: np.ndarray, light: np.ndarray, rng: np.random.Generator
) -> Person:
    pixels = _worn(read_picture(photograph.package, photograph.file), colour, rng)
    if rng.random() < 0.5:
        photograph, pixels = mirrored(photograph, pixels.shape[1]), pixels[:, ::-1]
    build = Build(
        depth=rng.uniform(0.92, 1.08),
        nose=rng.uniform(0.8, 1.15),
        brow=rng.uniform(0.6, 1.4),
        narrow=rng.uniform(0.92, 1.06),
    )
    head = make_head(photograph, pixels, build)
    x0, y0, x1, y1 = photograph.skin_box
    skin = pixels[y0:y1, x0:x1].reshape(-1, 3).mean(axis=0)
    return Person(head, draw_body(_outfit(colour, rng), skin * 0.95, light, rng))


def _worn(pixels: np.ndarray, colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The photograph under a film's light, with this actor's own complexion and contrast."""
    own = rng.uniform(0.85, 1.05) * np.array([1.0, rng.uniform(0.96, 1.03), rng.uniform(0.92, 1.05)])
    faded = pixels.mean(axis=2, keepdims=True)
    share = rng.uniform(0.0, 0.4)
    gamma = rng.uniform(0.85, 1.2)
    shown = 255 * ((pixels * (1 - share) + faded * share) / 255) ** gamma * own * colour
    return np.clip(shown, 0, 255).astype(np.uint8)


def _outfit(colour: np.ndarray, rng: np.random.Generator) -> Outfit:
    def dye(low: float, high: float) -> tuple[int, int, int]:
        hue = np.array([[[rng.integers(180), rng.integers(10, 120), rng.uniform(low, high)]]])
        red, green, blue = cv2.cvtColor(hue.astype(np.uint8), cv2.COLOR_HSV2RGB)[0, 0] * colour
        return min(int(red), 255), min(int(green), 255), min(int(blue), 255)

    return Outfit(
        cloth=dye(40, 215),
        accent=dye(120, 240),
        trousers=dye(30, 140),
        pattern=PATTERNS[int(rng.integers(len(PATTERNS)))],
        open_collar=bool(rng.random() < 0.4),
        broad=rng.uniform(0.92, 1.08),
    )
