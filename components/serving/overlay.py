"""What was measured of a clip's faces, as an SVG layer over its strip of frames.

It is no part of the picture's file: drawn into it, six dots on a blur would make a face again.
Source: paper 000's Figures 3 (six points), 4 (head pose) and 5 (distance).
"""

from collections.abc import Iterator
from html import escape

import numpy as np

from components.faces.head_pose import rotation
from components.features.columns import COLUMNS, PERSONS
from components.serving.pictures import GAP_PX, ClipPictures

AXIS_SHARES = (0.6, 0.6, -1.0)  # of the face's height: to the right, down, and out towards the viewer
AXIS_NAMES = ("right", "down", "out")
SHORTEST_AXIS_PX = 10.0


def measured_overlay(clip: ClipPictures, width: int) -> str:
    """An SVG of the size of the strip whose cells are `width` pixels wide."""
    count, frame_height, frame_width = clip.frames.shape[:3]
    scale = width / frame_width
    height = round(frame_height * scale)
    layers = [
        f'<g transform="translate({k * (width + GAP_PX)} 0)">{"".join(_frame_layer(clip, k, scale))}</g>'
        for k in range(count)
    ]
    full = count * width + (count - 1) * GAP_PX
    return f'<svg class="overlay" viewBox="0 0 {full} {height}" aria-hidden="true">{"".join(layers)}</svg>'


def readings(clip: ClipPictures, k: int) -> dict[str, float | None]:
    """Yaw and pitch of both persons in degrees and the distance of frame k, None where missing."""
    names = (*(f"{person}_{angle}" for person in PERSONS for angle in ("yaw", "pitch")), "distance")
    values = {name: float(clip.numbers[k, COLUMNS.index(name)]) for name in names}
    return {name: value if np.isfinite(value) else None for name, value in values.items()}


def _frame_layer(clip: ClipPictures, k: int, scale: float) -> Iterator[str]:
    values = readings(clip, k)
    points = clip.landmarks_px[k] * scale
    if np.isfinite(points[:, 0]).all():
        yield _line(points[0, 0], points[1, 0], "distance", _said("distance {:.0f}", values["distance"]))
    for person, name in enumerate(PERSONS):
        if np.isfinite(points[person]).all():
            yield from _pose(points[person], values[f"{name}_yaw"], values[f"{name}_pitch"])
            yield from (
                f'<circle class="point person-{name}" cx="{x:.1f}" cy="{y:.1f}" r="2.2"/>'
                for x, y in points[person]
            )


def _pose(points: np.ndarray, yaw: float | None, pitch: float | None) -> Iterator[str]:
    """The head's axes at its nose; the line of the eyes gives the roll."""
    if yaw is None or pitch is None:
        return
    nose, chin, left_eye, right_eye = points[:4]
    across, down = right_eye - left_eye
    turned = rotation(yaw, pitch, float(np.rad2deg(np.arctan2(down, across)))) @ np.diag(AXIS_SHARES)
    length = max(SHORTEST_AXIS_PX, float(np.linalg.norm(chin - (left_eye + right_eye) / 2)))
    for axis, name in zip(turned.T, AXIS_NAMES, strict=True):
        yield _line(nose, nose + axis[:2] * length, f"axis-{name}", f"yaw {yaw:+.0f}°, pitch {pitch:+.0f}°")


def _line(start: np.ndarray, end: np.ndarray, kind: str, title: str) -> str:
    return (
        f'<line class="{kind}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}">'
        f"<title>{escape(title)}</title></line>"
    )


def _said(text: str, value: float | None) -> str:
    return text.format(value) if value is not None else ""
