"""One clip played and drawn: background, far person, near person, camera."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from components.simulation import clothing
from components.simulation.behaviour import Tracks
from components.simulation.films import LIFT_PX, MARGIN_PX, Film, Person
from components.simulation.head_view import HeadView, draw_head
from components.simulation.pose import rotation
from components.simulation.truth import MASK_SCALE


@dataclass(frozen=True)
class DrawnFrame:
    """One frame and its truth.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        points_px: (2, 7, 2), near person first.
        hidden: (2, 7) bool.
        masks: visible pixels of each person at half size, (2, H / 2, W / 2) bool.
    """

    pixels: np.ndarray
    points_px: np.ndarray
    hidden: np.ndarray
    masks: np.ndarray


def draw_clip(film: Film, tracks: Tracks, near: int, rng: np.random.Generator) -> Iterator[DrawnFrame]:
    """Draw the frames of a clip.

    Args:
        film: place, camera and people.
        tracks: what the people do.
        near: which of the film's people is the near one.
        rng: for the camera's noise.
    """
    people = (film.people[near], film.people[1 - near])
    gains = 1 + film.flicker * rng.standard_normal(len(tracks.times_s))
    for k in range(len(tracks.times_s)):
        yield _draw_frame(film, people, tracks, k, float(gains[k]), rng)


def _draw_frame(
    film: Film, people: tuple[Person, Person], tracks: Tracks, k: int, gain: float, rng: np.random.Generator
) -> DrawnFrame:
    canvas = _background(film, tracks.pan_px[k])
    covers, views = [], []
    for person in (1, 0):
        cover, view = _draw_person(canvas, people[person], film, tracks, k, person)
        covers.append(cover)
        views.append(view)
    far_cover, near_cover = covers
    masks = np.stack([near_cover > 127, (far_cover > 127) & (near_cover <= 127)])
    points = np.stack([views[1].points_px, views[0].points_px])
    hidden = np.stack([views[1].hidden, views[0].hidden | _covered(views[0].points_px, near_cover)])
    outside = ((points < 0) | (points > (canvas.shape[1] - 1, canvas.shape[0] - 1))).any(axis=2)
    return DrawnFrame(
        _film_it(canvas, film, gain, rng), points, hidden | outside, masks[:, ::MASK_SCALE, ::MASK_SCALE]
    )


def _background(film: Film, pan_px: float) -> np.ndarray:
    left = MARGIN_PX + int(np.clip(np.round(pan_px), -MARGIN_PX, MARGIN_PX))
    rows = slice(LIFT_PX, LIFT_PX + film.stage.height_px)
    return film.background[rows, left : left + film.stage.width_px].copy()


def _draw_person(
    canvas: np.ndarray, person: Person, film: Film, tracks: Tracks, k: int, which: int
) -> tuple[np.ndarray, HeadView]:
    """Draw body and head onto the canvas; returns what they cover, (H, W) uint8, and the drawn head."""
    cover = np.zeros(canvas.shape[:2], np.uint8)
    scale, at = float(tracks.face_px[k, which]), tracks.at_px[k, which]
    yaw, pitch, roll = tracks.pose_deg[k, which]
    _draw_body(canvas, cover, person, scale, at, float(tracks.sway_deg[k, which]), float(yaw))
    view = draw_head(person.head, rotation(yaw, pitch, roll), scale, (float(at[0]), float(at[1])), film.light)
    _draw_view(canvas, cover, view)
    return cover, view


def _draw_body(
    canvas: np.ndarray,
    cover: np.ndarray,
    person: Person,
    scale: float,
    at: np.ndarray,
    sway_deg: float,
    yaw_deg: float,
) -> None:
    """The body turns a little with the head, which narrows it, and sways about the neck."""
    height, width = canvas.shape[:2]
    x0 = int(np.floor(at[0] + (clothing.LEFT - 0.1) * scale))
    y0 = int(np.floor(at[1] + clothing.TOP * scale))
    x1, y1 = (
        int(np.ceil(at[0] - (clothing.LEFT - 0.1) * scale)),
        int(np.ceil(at[1] + clothing.HEIGHT * scale)),
    )
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if x1 <= x0 or y1 <= y0:
        return
    zoom = clothing.SCALE / scale
    sine, cosine = np.sin(np.radians(sway_deg)), np.cos(np.radians(sway_deg))
    turned = np.cos(np.radians(0.6 * yaw_deg))
    matrix = np.array([[zoom * cosine / turned, zoom * sine / turned], [-zoom * sine, zoom * cosine]])
    pivot = -np.array([clothing.LEFT, clothing.TOP]) * clothing.SCALE
    move = pivot + matrix @ (np.array([x0, y0]) - at)
    affine = np.column_stack([matrix, move]).astype(np.float32)
    pixels = cv2.warpAffine(
        person.body.pixels, affine, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    red, green, blue, alpha = cv2.split(pixels)
    frame = (slice(y0, y1), slice(x0, x1))
    through = cv2.merge([255 - alpha] * 3)
    canvas[frame] = cv2.add(
        cv2.multiply(canvas[frame], through, scale=1 / 255), cv2.merge([red, green, blue])
    )
    cover[frame] = np.maximum(cover[frame], alpha)


def _draw_view(canvas: np.ndarray, cover: np.ndarray, view: HeadView) -> None:
    """Lay a drawn head over the canvas where it lies in the frame."""
    height, width = canvas.shape[:2]
    x0, y0 = max(view.left_px, 0), max(view.top_px, 0)
    x1, y1 = min(view.left_px + view.alpha.shape[1], width), min(view.top_px + view.alpha.shape[0], height)
    if x1 <= x0 or y1 <= y0:
        return
    patch = (slice(y0 - view.top_px, y1 - view.top_px), slice(x0 - view.left_px, x1 - view.left_px))
    frame = (slice(y0, y1), slice(x0, x1))
    share = np.ascontiguousarray(view.alpha[patch])
    under = canvas[frame].astype(np.float32)
    mixed = cv2.blendLinear(np.ascontiguousarray(view.colour[patch]), under, share, 1 - share)
    canvas[frame] = cv2.convertScaleAbs(mixed)
    cover[frame] = np.maximum(cover[frame], cv2.convertScaleAbs(share, alpha=255))


def _covered(points: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Which points lie under the near person, (7,) bool."""
    columns = np.clip(np.round(points[:, 0]).astype(int), 0, cover.shape[1] - 1)
    rows = np.clip(np.round(points[:, 1]).astype(int), 0, cover.shape[0] - 1)
    return cover[rows, columns] > 127


def _film_it(canvas: np.ndarray, film: Film, gain: float, rng: np.random.Generator) -> np.ndarray:
    """Lens and sensor: blur, brightness, noise."""
    blurred = cv2.GaussianBlur(canvas, (3, 3), film.blur_px)
    y, x = int(rng.integers(64)), int(rng.integers(64))
    noise = film.noise[y : y + canvas.shape[0], x : x + canvas.shape[1]]
    return cv2.add(cv2.convertScaleAbs(blurred, alpha=gain), noise, dtype=cv2.CV_8U)
