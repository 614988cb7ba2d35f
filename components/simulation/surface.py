"""A head as a smooth star-shaped surface.

The surface is r(theta, y): the distance from the head's vertical axis, for each direction theta round it
and each height y. Head axes: x to the image's right, y down, z to the front; origin on the axis between the
outer corners of the eyes; the unit is the height of the face, chin to hairline. Outlines come from the
photograph; depths are anatomy by eye, other for every person, and no head-pose solver's.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from components.simulation.photographs import Photograph

HEIGHTS = 200
TOP, BOTTOM = -1.05, 0.80
ANGLES = 360
BACK_DEPTH = 0.52


@dataclass(frozen=True)
class Build:
    """How one person's head differs from the plain one; all are factors on the relief's lengths.

    Attributes:
        depth: of the whole head, ears to nose.
        nose: how far the nose stands out.
        brow: how far brow and chin stand out.
        narrow: width against height of the whole head.
    """

    depth: float = 1.0
    nose: float = 1.0
    brow: float = 1.0
    narrow: float = 1.0


def heights() -> np.ndarray:
    """The y of each row of the radius table, in face heights."""
    return np.linspace(TOP, BOTTOM, HEIGHTS)


def angles_rad() -> np.ndarray:
    """The theta of each column of the radius table: -pi .. pi, 0 to the front, > 0 to the right."""
    return (np.arange(ANGLES) - ANGLES / 2) / ANGLES * 2 * np.pi


def locate(
    shape: tuple[int, ...], x: np.ndarray, y: np.ndarray, z: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where a table over (y, theta) is read for points in head axes.

    Args:
        shape: of the table: rows, columns.
        x: of the points, (n, m) float32.
        y: of the points, alike.
        z: of the points, alike.

    Returns:
        Columns, rows and the points' distance from the axis, float32.
    """
    distance, turned = cv2.cartToPolar(-z, -x)
    columns = turned * np.float32(shape[1] / (2 * np.pi))
    rows = (y - np.float32(TOP)) * np.float32((shape[0] - 1) / (BOTTOM - TOP))
    return columns, rows, distance


def margin(radius: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """How deep points (n, m) lie under the surface, along the radius, in face heights; negative outside."""
    columns, rows, distance = locate(radius.shape, x, y, z)
    return (
        cv2.remap(radius, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=-0.05)
        - distance
    )


def _spans(
    photograph: Photograph, rows: tuple[tuple[float, float, float], ...], y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Half widths to the left and the right of the axis at heights y, in face heights; 0 above and below."""
    marks = np.array(rows, dtype=np.float64)
    unit, (cx, cy) = photograph.face_height_px, photograph.centre_px
    at = (marks[:, 0] - cy) / unit
    closed = np.concatenate([[at[0] - 0.012], at, [at[-1] + 0.045]])
    left = np.concatenate([[0.0], (cx - marks[:, 1]) / unit, [0.0]])
    right = np.concatenate([[0.0], (marks[:, 2] - cx) / unit, [0.0]])
    return np.interp(y, closed, left, 0, 0), np.interp(y, closed, right, 0, 0)


def _ellipse(
    theta: np.ndarray, left: np.ndarray, right: np.ndarray, front: np.ndarray, back: float
) -> np.ndarray:
    """r(theta) of an ellipse-like section, a half axis of its own to each side; (rows, columns)."""
    sine, cosine = np.sin(theta)[None, :], np.cos(theta)[None, :]
    width = np.where(sine < 0, left[:, None], right[:, None])
    widest = np.maximum(left, right)[:, None]
    depth = np.where(cosine > 0, front[:, None], np.minimum(back, widest))
    power = 2.3
    inverse = (np.abs(sine) / np.maximum(width, 1e-4)) ** power + (
        np.abs(cosine) / np.maximum(depth, 1e-4)
    ) ** power
    return inverse ** (-1 / power)


def _front_profile(photograph: Photograph, y: np.ndarray, build: Build) -> np.ndarray:
    """Depth of the face's midline without the nose, from the head's axis, at heights y."""
    unit, (_, cy) = photograph.face_height_px, photograph.centre_px
    nose_y, chin_y = ((photograph.points[k][1] - cy) / unit for k in (0, 1))
    hair_y = (photograph.hairline_y - cy) / unit
    knots = np.array(
        [
            hair_y - 0.35,
            hair_y - 0.12,
            hair_y,
            -0.10,
            0.0,
            nose_y,
            (2 * nose_y + chin_y) / 3,
            (nose_y + 2 * chin_y) / 3,
            chin_y - 0.03,
            chin_y + 0.02,
        ]
    )
    stand_out = 0.022 * build.brow
    depths = np.array(
        [0.30, 0.40, 0.445, 0.455 + stand_out, 0.435, 0.455, 0.470, 0.450, 0.440 + stand_out, 0.40]
    )
    return np.interp(y, knots, depths) * build.depth


def _relief(photograph: Photograph, x: np.ndarray, y: np.ndarray, build: Build) -> np.ndarray:
    """What stands out of or lies below the plain face at (x, y): nose, sockets, lips, chin."""
    unit, (cx, cy) = photograph.face_height_px, photograph.centre_px
    marks = (photograph.points_px - (cx, cy)) / unit
    base, chin, left_eye, right_eye, left_mouth, right_mouth, tip = marks

    def hump(centre_x: float, centre_y: float, wide: float, high: float) -> np.ndarray:
        return np.exp(-(((x - centre_x) / wide) ** 2) - ((y - centre_y) / high) ** 2)

    ridge_y = np.array([-0.06, 0.0, tip[1], (tip[1] + 2 * base[1]) / 3, base[1], base[1] + 0.05])
    ridge = np.interp(y, ridge_y, np.array([0.0, 0.018, 0.128, 0.10, 0.03, 0.0])) * build.nose
    wide = np.interp(y, [0.0, tip[1]], [0.045, 0.075])
    middle = np.interp(y, [0.0, tip[1], base[1]], [0.0, tip[0], base[0]])
    nose = ridge * np.exp(-(((x - middle) / wide) ** 2))
    sockets = sum(hump(0.62 * eye[0], eye[1], 0.09, 0.05) for eye in (left_eye, right_eye))
    mouth = (left_mouth + right_mouth) / 2
    lips = hump(mouth[0], mouth[1], 0.13, 0.06)
    jut = hump(chin[0], chin[1] - 0.07, 0.10, 0.06)
    return nose - 0.028 * sockets + 0.018 * lips + 0.016 * build.brow * jut


def radius_table(photograph: Photograph, build: Build) -> np.ndarray:
    """The table r(theta, y): the larger of face and hair, smoothed, with the relief on the front."""
    y, theta = heights(), angles_rad()
    hair_y = (photograph.hairline_y - photograph.centre_px[1]) / photograph.face_height_px
    face = _ellipse(
        theta, *_spans(photograph, photograph.face, y), _front_profile(photograph, y, build), BACK_DEPTH
    )
    left, right = _spans(photograph, photograph.outline, y)
    crown = np.sqrt(np.clip((y - TOP) / 0.35, 0, 1))
    forward = (
        np.interp(y, [hair_y - 0.35, hair_y - 0.05, hair_y + 0.12, 0.05], [0.34, 0.47, 0.40, 0.20])
        * build.depth
    )
    hair = _ellipse(
        theta, left, right, np.minimum(forward * crown + 0.02, 3 * np.maximum(left, right)), BACK_DEPTH
    )
    radius = np.maximum(face, hair).astype(np.float32)
    radius = cv2.GaussianBlur(radius, (0, 0), sigmaX=2.5, sigmaY=1.4, borderType=cv2.BORDER_REPLICATE)
    front = np.clip(np.cos(theta), 0, None)[None, :]
    x = radius * np.sin(theta)[None, :]
    raised = _relief(photograph, x, np.broadcast_to(y[:, None], x.shape), build) * front**2
    inside = np.clip(radius / 0.2, 0, 1)
    radius = cv2.GaussianBlur((radius + raised * inside).astype(np.float32), (0, 0), 0.8)
    top, bottom = (photograph.outline[0][0], photograph.outline[-1][0])
    at = y * photograph.face_height_px + photograph.centre_px[1]
    radius[(at < top - 2) | (at > bottom + 0.05 * photograph.face_height_px)] = -0.05
    return radius


def normals_table(radius: np.ndarray) -> np.ndarray:
    """Outward unit normals of the surface, smoothed a little so that shading shows no facets."""
    smooth = cv2.GaussianBlur(radius, (0, 0), 2.0)
    theta = angles_rad()[None, :]
    along_theta = np.gradient(smooth, axis=1) / (2 * np.pi / ANGLES) / np.maximum(smooth, 0.05)
    along_y = np.gradient(smooth, axis=0) / ((BOTTOM - TOP) / (HEIGHTS - 1))
    normal = np.stack(
        [np.sin(theta) - along_theta * np.cos(theta), -along_y, np.cos(theta) + along_theta * np.sin(theta)],
        axis=-1,
    )
    return (normal / np.linalg.norm(normal, axis=-1, keepdims=True)).astype(np.float32)
