"""Paper 000's kind of head pose: slopes of projected lines, with the published six-point model.

The numbers are no true angles: they jump at 90 degrees. They are kept so that results can be compared.
Source: a solvePnP recipe that many public repositories copy. Paper 000, III-E, names none; the lines of its
Figure 4 and its pitch from -86 to 82 (III-H) look like this one.
"""

import cv2
import numpy as np

from components.faces.head_pose import NO_POSE, SMALLEST_FOR_SQPNP, HeadPose, camera_matrix, face_size

# Nose tip, chin, outer eye corners, mouth corners: x right, y up, z towards the viewer.
PUBLISHED_MODEL = np.array(
    [(0, 0, 0), (0, -330, -65), (-225, 170, -135), (225, 170, -135), (-150, -150, -125), (150, -150, -125)],
    np.float64,
)
NOSE_RAY_END = (0.0, 0.0, 1000.0)


def estimate_line_slope(points_px: np.ndarray, width: int, height: int) -> HeadPose:
    """Slopes, as degrees, of the nose's ray (pitch) and of a line square to a box before the face (yaw).

    Args:
        points_px: (6, 2) in the order of the published model.
    """
    camera = camera_matrix(width, height)
    if face_size(points_px) < SMALLEST_FOR_SQPNP * camera[0, 0]:
        return NO_POSE
    found, turn, move = cv2.solvePnP(PUBLISHED_MODEL, points_px, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    if not found:
        return NO_POSE
    near, far = (1.0, 1.0, 0.0), (float(width), float(width), 2.0 * width)
    ends = np.array([NOSE_RAY_END, near, (-far[0], -far[1], far[2]), (far[0], -far[1], far[2])])
    nose_end, side, far_left, far_right = cv2.projectPoints(ends, turn, move, camera, None)[0].reshape(-1, 2)
    ray = nose_end - points_px[0]
    across = (far_left + far_right) / 2 - side
    projected = cv2.projectPoints(PUBLISHED_MODEL, turn, move, camera, None)[0].reshape(-1, 2)
    error = float(np.sqrt(((projected - points_px) ** 2).sum(axis=1).mean()))
    return HeadPose(_slope_angle(-across[0], across[1]), _slope_angle(ray[1], ray[0]), np.nan, error)


def _slope_angle(rise: float, run: float) -> float:
    return float(np.rad2deg(np.arctan(rise / run))) if run else 90.0
