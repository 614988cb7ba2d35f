"""What two people do in one clip, as tracks over time.

Who stalks follows: behind (farther from the camera, so smaller), looking at the victim, who looks away and
ahead; the distance between them is kept. Who does not stalk talks face to face, drawing near, or goes
another way and looks another way. The sides, the sizes, and each person's yaw alone are spread alike in
both classes: only their relation tells. Some clips of each class break the rule, as people do: a victim
looks back, two friends walk one behind the other.

Source: paper 000, sections III-E and III-F.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

LABELS = ("non_stalking", "stalking")
Manner = Literal["follow", "follow_noticed", "talk", "part", "walk_together"]
MANNERS: dict[str, tuple[tuple[Manner, float], ...]] = {
    "stalking": (("follow", 0.91), ("follow_noticed", 0.09)),
    "non_stalking": (("talk", 0.46), ("part", 0.45), ("walk_together", 0.09)),
}
TOWARDS: dict[Manner, tuple[int, int]] = {
    "follow": (-1, 1),
    "follow_noticed": (1, 1),
    "talk": (1, 1),
    "part": (-1, -1),
    "walk_together": (-1, 1),
}
"""Per manner: does the near, does the far person look towards (1) or away from (-1) the other."""


@dataclass(frozen=True)
class Stage:
    """How large and where a film's camera shows its people.

    Attributes:
        width_px: of the frame.
        height_px: of the frame.
        per_second: frames per second.
        near_face_px: height of the near person's face, about.
        eye_line_px: height above which the near person's eyes lie, from the top.
    """

    width_px: int
    height_px: int
    per_second: int
    near_face_px: float
    eye_line_px: float


@dataclass(frozen=True)
class Tracks:
    """Two people over T frames; the first person is the near one.

    Attributes:
        times_s: (T,).
        face_px: height of each face, (T, 2).
        at_px: where each head's pivot lies, (T, 2, 2) x, y.
        pose_deg: yaw, pitch, roll of each head, (T, 2, 3).
        sway_deg: tilt of each body, (T, 2).
        pan_px: how far the camera has turned, (T,).
        manner: what they do.
    """

    times_s: np.ndarray
    face_px: np.ndarray
    at_px: np.ndarray
    pose_deg: np.ndarray
    sway_deg: np.ndarray
    pan_px: np.ndarray
    manner: Manner


def deal_manners(label: str, count: int, rng: np.random.Generator) -> list[Manner]:
    """What happens in each of `count` clips of a class: the shares of MANNERS, nearly exact."""
    names, shares = zip(*MANNERS[label], strict=True)
    ends = np.round(np.cumsum(shares) * count).astype(int)
    dealt = np.searchsorted(ends, np.arange(count), side="right")
    return [names[k] for k in rng.permutation(dealt)]


def act(manner: Manner, frames: int, stage: Stage, rng: np.random.Generator) -> Tracks:
    """Play one clip.

    Args:
        manner: what the two do.
        frames: how many.
        stage: the film's camera.
        rng: where all chance of the clip comes from.
    """
    times = np.arange(frames) / stage.per_second
    near_side = 1 if rng.random() < 0.5 else -1
    face = _faces(frames, stage, rng)
    apart = _distance(manner, frames, rng) * stage.width_px
    middle = stage.width_px * (
        0.5 + rng.normal(0, 0.03) + rng.normal(0, 0.03) * np.linspace(-0.5, 0.5, frames)
    )
    x = np.stack([middle + near_side * apart / 2, middle - near_side * apart / 2], axis=1)
    phase = rng.uniform(0, 2 * np.pi, 2) + 2 * np.pi * rng.uniform(1.5, 2.0, 2) * times[:, None]
    lift = rng.uniform(0.4, 1.0) * 0.03 * np.sin(phase)
    y = stage.eye_line_px + np.array([0.45, 0.45 - rng.uniform(0.0, 0.5)]) * face + lift * face
    x = x + 0.02 * np.sin(phase / 2) * face
    return Tracks(
        times_s=times,
        face_px=face,
        at_px=np.stack([x, y], axis=2),
        pose_deg=np.stack([_poses(manner, person, near_side, times, rng) for person in (0, 1)], axis=1),
        sway_deg=1.2 * np.sin(phase / 2),
        pan_px=rng.normal(0, 25) + rng.normal(0, 40) * np.linspace(-0.5, 0.5, frames),
        manner=manner,
    )


def _faces(frames: int, stage: Stage, rng: np.random.Generator) -> np.ndarray:
    """Heights of both faces, (T, 2): the far one smaller, both growing or shrinking a little together."""
    near = stage.near_face_px * np.exp(rng.normal(0, 0.10))
    far = near * rng.uniform(0.62, 0.88)
    growth = np.exp(rng.normal(0.02, 0.04) * np.linspace(-1, 1, frames))
    return np.stack([near * growth, far * growth], axis=1)


def _distance(manner: Manner, frames: int, rng: np.random.Generator) -> np.ndarray:
    """Distance between the heads as a share of the frame's width, (T,): kept, shrinking or growing."""
    mean, change = {
        "follow": (0.43, 0.0),
        "follow_noticed": (0.42, 0.0),
        "talk": (0.37, -0.05),
        "part": (0.40, 0.07),
        "walk_together": (0.39, 0.0),
    }[manner]
    level = np.clip(rng.normal(mean, 0.05), 0.30, 0.54)
    return np.clip(level + (change + rng.normal(0, 0.04)) * np.linspace(-0.5, 0.5, frames), 0.27, 0.60)


def _poses(
    manner: Manner, person: int, near_side: int, times: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Yaw, pitch and roll of one head over time, (T, 3) degrees."""
    to_other = -near_side if person == 0 else near_side
    yaw = TOWARDS[manner][person] * to_other * rng.uniform(18, 38) + _wander(times, 3.0, rng)
    if rng.random() < 0.2:
        start = rng.uniform(0.2, 0.8) * times[-1]
        glance = np.exp(-(((times - start) / 0.25) ** 2))
        yaw = yaw * (1 - glance) + glance * rng.normal(0, 15)
    pitch = rng.normal(-2, 4) + _wander(times, 2.0, rng)
    roll = rng.normal(0, 2.0) + _wander(times, 1.0, rng)
    return np.stack([np.clip(yaw, -48, 48), np.clip(pitch, -18, 18), roll], axis=1)


def _wander(times: np.ndarray, spread: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth aimless signal of the given standard deviation, (T,)."""
    rates = rng.uniform(0.15, 0.9, 4)
    phases = rng.uniform(0, 2 * np.pi, 4)
    return spread * np.sqrt(0.5) * np.sin(2 * np.pi * rates * times[:, None] + phases).sum(axis=1)
