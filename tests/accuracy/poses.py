"""Errors of head poses over many faces, for the default solver and for the plain ones it is compared with."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np

from components.faces.head_pose import MODELS, angles, camera_matrix, estimate, line_of_sight, rotation
from components.faces.settings import HeadPoseSettings
from tests.accuracy.faces import SimulatedFace

MODEL = MODELS[34]
FAR_WRONG_DEG = 30
FRONTAL_DEG = 40
LARGE_PX, SMALL_PX = 90, 60
WIDTH, HEIGHT = 1280, 720


@dataclass(frozen=True)
class PoseErrors:
    """Mean absolute errors in degrees, over `count` faces.

    Attributes:
        count: faces that were found and have a pose.
        yaw: of all.
        pitch: of all.
        yaw_less_constant: once each person's mean error is taken off.
        pitch_less_constant: the same.
        largest: of yaw and pitch.
        far_wrong: faces more than FAR_WRONG_DEG wrong in either.
    """

    count: int
    yaw: float
    pitch: float
    yaw_less_constant: float
    pitch_less_constant: float
    largest: float
    far_wrong: int


def pose_errors(faces: Sequence[SimulatedFace]) -> PoseErrors:
    """Over the faces that were found and have a pose."""
    posed = [face for face in faces if np.isfinite(face.yaw_error)]
    errors = np.array([(face.yaw_error, face.pitch_error) for face in posed]).reshape(-1, 2)
    constants = defaultdict(list)
    for k, face in enumerate(posed):
        constants[face.person].append(k)
    rest = errors.copy()
    for members in constants.values():
        rest[members] -= errors[members].mean(axis=0)
    yaw, pitch = np.abs(errors).mean(axis=0)
    rest_yaw, rest_pitch = np.abs(rest).mean(axis=0)
    worst = np.abs(errors).max(axis=1)
    return PoseErrors(
        len(posed),
        *(float(mean) for mean in (yaw, pitch, rest_yaw, rest_pitch)),
        float(worst.max()),
        int((worst > FAR_WRONG_DEG).sum()),
    )


def is_frontal(face: SimulatedFace) -> bool:
    """Within FRONTAL_DEG in both angles."""
    return abs(face.yaw_deg) <= FRONTAL_DEG and abs(face.pitch_deg) <= FRONTAL_DEG


def default_solver(points_px: np.ndarray, width: int, height: int) -> tuple[float, float]:
    """Yaw and pitch by the project's own solver."""
    pose = estimate(points_px, width, height, HeadPoseSettings())
    return pose.yaw, pose.pitch


def plain(method: int) -> Callable[[np.ndarray, int, int], tuple[float, float]]:
    """OpenCV's solvePnP by one method, on the same model, with no first guess and no second thoughts."""

    def solve(points_px: np.ndarray, width: int, height: int) -> tuple[float, float]:
        camera = camera_matrix(width, height)
        _, turn, move = cv2.solvePnP(MODEL, points_px, camera, None, flags=method)
        yaw, pitch, _ = angles(line_of_sight(move.ravel()).T @ cv2.Rodrigues(turn)[0])
        return yaw, pitch

    return solve


SOLVERS: dict[str, Callable[[np.ndarray, int, int], tuple[float, float]]] = {
    "**SQPNP and four guesses, refined**": default_solver,
    "solvePnP, SQPNP": plain(cv2.SOLVEPNP_SQPNP),
    "solvePnP, EPNP": plain(cv2.SOLVEPNP_EPNP),
    "solvePnP, its default": plain(cv2.SOLVEPNP_ITERATIVE),
}


def own_model(noise: float, rng: np.random.Generator, count: int) -> list[tuple[np.ndarray, float, float]]:
    """Points of the solver's own model in random poses, with their yaw and pitch.

    Args:
        noise: standard deviation, as a share of the distance between the eyes.
    """
    drawn = []
    for _ in range(count):
        yaw, pitch, roll = rng.uniform(-50, 50), rng.uniform(-35, 35), rng.uniform(-25, 25)
        place = np.array((rng.uniform(-400, 400), rng.uniform(-180, 180), rng.uniform(700, 1500)))
        points = projected(yaw, pitch, roll, place)
        eyes = np.hypot(*(points[3] - points[2]))
        drawn.append((points + rng.normal(0, noise * eyes, points.shape), yaw, pitch))
    return drawn


def projected(yaw: float, pitch: float, roll: float, place: np.ndarray) -> np.ndarray:
    """The model's six points (6, 2) as the solver's own camera sees them; angles from the line of sight."""
    seen = line_of_sight(place) @ rotation(yaw, pitch, roll)
    points = (MODEL @ seen.T + place) @ camera_matrix(WIDTH, HEIGHT).T
    return points[:, :2] / points[:, 2:]


def largest_on_own_model() -> float:
    """The largest error, in degrees, on noiseless points over a grid of poses and places."""
    turns, rolls = (-60, -30, 0, 30, 60), (-25, 0, 25)
    places = [np.array(place) for place in ((0, 0, 1500), (400, -150, 1200), (-200, 180, 700))]
    errors = [
        np.abs(np.subtract(default_solver(projected(yaw, pitch, roll, place), WIDTH, HEIGHT), (yaw, pitch)))
        for yaw, pitch, roll, place in product(turns, turns, rolls, places)
    ]
    return float(np.max(errors))
