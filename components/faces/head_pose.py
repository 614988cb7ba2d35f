"""Head pose: yaw, pitch and roll of a face from six points of it.

The convention, for all of the project. Angles are degrees. Seen by the viewer of the picture:

- yaw > 0: the face turns towards the picture's right;
- pitch > 0: the face looks up;
- roll > 0: the head tilts clockwise;
- (0, 0, 0): the face looks into the camera.

In axes x right, y down, z away from the viewer the head first nods, then turns, then tilts in the picture's
plane; an untilted face looks along (sin yaw cos pitch, -sin pitch, -cos yaw cos pitch). Angles are counted
from the line of sight, the ray between camera and face, and not from the camera's optical axis: a picture
does not tell its lens, and the line of sight needs none.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from components.faces.settings import HeadPoseSettings

# Millimetres: x right, y down, z into the head, as seen by who looks at the face; origin under the nose.
# Between a mean face of anthropometry and what the simulator's truth asks for (docs/decisions/0004).
SUBNASALE = (0.0, 0.0, 0.0)
NOSE_TIP = (0.0, -10.0, -14.0)
FACE = ((0.0, 64.0, 15.0), (-45.0, -43.0, 27.0), (45.0, -43.0, 27.0), (-27.0, 21.0, 15.0), (27.0, 21.0, 15.0))
MODELS = {34: np.array((SUBNASALE, *FACE)), 31: np.array((NOSE_TIP, *FACE))}

# Yaw and pitch to start from beside the closed solution: a face is nearly flat, so a fit may have a
# mirror image.
STARTS = ((-30.0, -20.0), (-30.0, 20.0), (30.0, -20.0), (30.0, 20.0))
SMALLEST_FOR_SQPNP = 0.005  # of the focal length; OpenCV's SQPNP refuses smaller faces


@dataclass(frozen=True)
class HeadPose:
    """One face's pose; angles in degrees, NaN where the points fit no face."""

    yaw: float
    pitch: float
    roll: float
    reprojection_px: float


NO_POSE = HeadPose(np.nan, np.nan, np.nan, np.nan)


def estimate(
    points_px: np.ndarray, width: int, height: int, settings: HeadPoseSettings, nose_index_1based: int = 34
) -> HeadPose:
    """The pose of the face with these six points.

    Args:
        points_px: (6, 2) nose, chin, left eye, right eye, left mouth corner, right mouth corner; left is the
            picture's.
        width: of the frame, in pixels; taken for the focal length too.
        height: of the frame, in pixels.
        nose_index_1based: which of the 68 points the nose is.
    """
    points = np.asarray(points_px, np.float64)
    if not np.isfinite(points).all():
        return NO_POSE
    if settings.method == "line_slope":
        from components.faces.line_slope import estimate_line_slope

        return estimate_line_slope(points, width, height)
    return _euler(points, camera_matrix(width, height), MODELS[nose_index_1based], settings)


def camera_matrix(width: int, height: int) -> np.ndarray:
    """(3, 3) of a camera that sees 53 degrees across, undistorted, as in the common solvePnP recipe."""
    return np.array([[width, 0, width / 2], [0, width, height / 2], [0, 0, 1]], np.float64)


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """(3, 3) matrix that turns a face that looks at the viewer into this pose; degrees."""
    about_y, about_x, about_z = np.deg2rad((-yaw, -pitch, roll))
    cy, sy, cx, sx = np.cos(about_y), np.sin(about_y), np.cos(about_x), np.sin(about_x)
    cz, sz = np.cos(about_z), np.sin(about_z)
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    tilt = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return tilt @ turn @ nod


def angles(matrix: np.ndarray) -> tuple[float, float, float]:
    """Yaw, pitch, roll in degrees of a rotation matrix: the inverse of `rotation`."""
    yaw = np.arcsin(np.clip(matrix[2, 0], -1, 1))
    pitch = -np.arctan2(matrix[2, 1], matrix[2, 2])
    roll = np.arctan2(matrix[1, 0], matrix[0, 0])
    return float(np.rad2deg(yaw)), float(np.rad2deg(pitch)), float(np.rad2deg(roll))


def line_of_sight(translation: np.ndarray) -> np.ndarray:
    """(3, 3) rotation from the optical axis to the ray that meets the face, to the side, then up or down."""
    x, y, z = translation
    return rotation(-np.rad2deg(np.arctan2(x, z)), np.rad2deg(np.arctan2(y, np.hypot(x, z))), 0)


def _euler(points: np.ndarray, camera: np.ndarray, model: np.ndarray, settings: HeadPoseSettings) -> HeadPose:
    fits = [
        fit for start in _starts(points, camera, model) if (fit := _refine(points, camera, model, *start))
    ]
    if not fits:
        return NO_POSE
    error, matrix = min(fits, key=lambda fit: fit[0])
    if error > settings.max_reprojection * face_size(points):
        return HeadPose(np.nan, np.nan, np.nan, error)
    return HeadPose(*angles(matrix), error)


def face_size(points: np.ndarray) -> float:
    """Root mean square distance of the points from their centre, in pixels."""
    return float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _starts(points: np.ndarray, camera: np.ndarray, model: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """First guesses (rotation vector, translation): SQPNP's global solution, and those of STARTS."""
    starts = _closed_solution(points, camera, model)
    depth = camera[0, 0] * face_size(model[:, :2]) / max(face_size(points), 1e-6)
    ray = np.array([*(points.mean(axis=0) - camera[:2, 2]) / camera[0, 0], 1.0])
    eyes = points[3] - points[2]
    roll = float(np.rad2deg(np.arctan2(eyes[1], eyes[0])))
    for yaw, pitch in STARTS:
        turn = cv2.Rodrigues(rotation(yaw, pitch, roll))[0]
        starts.append((turn, (ray * depth).reshape(3, 1)))
    return starts


def _closed_solution(
    points: np.ndarray, camera: np.ndarray, model: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    if face_size(points) < SMALLEST_FOR_SQPNP * camera[0, 0]:
        return []
    found, turns, moves, _ = cv2.solvePnPGeneric(model, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    return list(zip(turns, moves, strict=True)) if found else []


def _refine(
    points: np.ndarray, camera: np.ndarray, model: np.ndarray, turn: np.ndarray, move: np.ndarray
) -> tuple[float, np.ndarray] | None:
    """The least-squares fit nearest to a guess.

    Returns:
        Error in pixels and rotation from the line of sight; None for a pose that no camera could see.
    """
    turn, move = cv2.solvePnPRefineLM(model, points, camera, None, turn.copy(), move.copy())
    matrix, place = cv2.Rodrigues(turn)[0], move.ravel()
    seen = line_of_sight(place).T @ matrix
    if not (place[2] > 0 and seen[2, 2] > 0):  # behind the camera, looking away from it, or no number at all
        return None
    projected = cv2.projectPoints(model, turn, move, camera, None)[0].reshape(-1, 2)
    error = float(np.sqrt(((projected - points) ** 2).sum(axis=1).mean()))
    return error, seen
