"""Rotations of a head, in the sign convention of the head pose module.

Camera axes: x to the image's right, y down, z towards the viewer. Degrees: yaw > 0 turns the face to the
image's right, pitch > 0 looks up, roll > 0 tilts clockwise as the viewer sees it; (0, 0, 0) faces the
camera.
"""

import numpy as np


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    """Matrix (3, 3) that takes head axes to camera axes: pitch first, then yaw, then roll.

    In this order yaw and pitch are azimuth and elevation of where the face points while roll is zero.
    """
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x
