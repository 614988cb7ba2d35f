"""A whole sample: which films and clips there are, and one film's clips made."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.core.errors import UsageError
from components.core.files import atomic_path
from components.simulation.behaviour import LABELS, Manner, Tracks, act, deal_manners
from components.simulation.encoding import write_mp4
from components.simulation.films import make_film
from components.simulation.scene import DrawnFrame, draw_clip
from components.simulation.truth import Truth, write_truth


@dataclass(frozen=True)
class SampleSettings:
    """How much is simulated.

    Attributes:
        clips: how many, both classes together.
        clips_per_film: clips that share a film (a source group), both classes in turn.
        seed: all chance comes from it: the same seed gives the same bytes.
        width_px: of the frames, even.
        height_px: of the frames, even.
        per_second: frames per second.
        shortest_s: of a clip.
        longest_s: of a clip.
    """

    clips: int = 280
    clips_per_film: int = 10
    seed: int = 27
    width_px: int = 960
    height_px: int = 540
    per_second: int = 12
    shortest_s: float = 3.0
    longest_s: float = 3.5


@dataclass(frozen=True)
class PlannedClip:
    """A clip to be made: its name without suffix (unique in the sample), class, film and manner."""

    name: str
    label: str
    film: str
    number: int
    manner: Manner


@dataclass(frozen=True)
class PlannedFilm:
    """A film to be made and its clips."""

    name: str
    number: int
    clips: tuple[PlannedClip, ...]


def plan(settings: SampleSettings) -> tuple[PlannedFilm, ...]:
    """Name all films and clips.

    Raises:
        UsageError: sizes that cannot be filmed.
    """
    if settings.clips < 1 or settings.clips_per_film < 1 or settings.width_px % 2 or settings.height_px % 2:
        raise UsageError(
            f"{settings}", wanted="at least one clip and an even frame size", remedy="change the numbers"
        )
    each = {label: (settings.clips + 1 - k) // 2 for k, label in enumerate(LABELS)}
    manners = {
        label: deal_manners(label, count, np.random.default_rng([settings.seed, 3, k]))
        for k, (label, count) in enumerate(each.items())
    }
    clips = [
        _planned(k, settings, LABELS[k % 2], manners[LABELS[k % 2]][k // 2]) for k in range(settings.clips)
    ]
    size = settings.clips_per_film
    return tuple(
        PlannedFilm(clips[first].film, first // size, tuple(clips[first : first + size]))
        for first in range(0, settings.clips, size)
    )


def _planned(number: int, settings: SampleSettings, label: str, manner: Manner) -> PlannedClip:
    film = f"film-{number // settings.clips_per_film + 1:02d}"
    name = f"{film}-{number % settings.clips_per_film + 1:02d}"
    return PlannedClip(name, label, film, number, manner)


def make_film_clips(film: PlannedFilm, settings: SampleSettings, folder: Path, truth_folder: Path) -> int:
    """Draw and write all clips of a film and their truth; returns how many frames there are."""
    rng = np.random.default_rng([settings.seed, 1, film.number])
    shared = make_film(film.name, settings.width_px, settings.height_px, settings.per_second, rng)
    frames = 0
    for clip in film.clips:
        chance = np.random.default_rng([settings.seed, 2, clip.number])
        low, high = (
            round(seconds * settings.per_second) for seconds in (settings.shortest_s, settings.longest_s)
        )
        tracks = act(clip.manner, int(chance.integers(low, high + 1)), shared.stage, chance)
        kept: list[DrawnFrame] = []
        drawn = draw_clip(shared, tracks, int(chance.integers(2)), chance)
        with atomic_path(folder / clip.label / f"{clip.name}.mp4") as path:
            pixels = _keeping(drawn, kept)
            frames += write_mp4(path, pixels, settings.width_px, settings.height_px, settings.per_second)
        write_truth(truth_folder / f"{clip.name}.npz", _truth(kept, tracks, clip, settings))
    return frames


def _keeping(frames: Iterator[DrawnFrame], kept: list[DrawnFrame]) -> Iterator[np.ndarray]:
    """Pass the pixels on and keep the rest of each frame."""
    for frame in frames:
        kept.append(DrawnFrame(np.empty(0), frame.points_px, frame.hidden, frame.masks))
        yield frame.pixels


def _truth(frames: list[DrawnFrame], tracks: Tracks, clip: PlannedClip, settings: SampleSettings) -> Truth:
    points = np.stack([frame.points_px for frame in frames])
    return Truth(
        width_px=settings.width_px,
        height_px=settings.height_px,
        times_s=tracks.times_s,
        points_px=points,
        hidden=np.stack([frame.hidden for frame in frames]),
        pose_deg=tracks.pose_deg,
        face_height_px=tracks.face_px,
        distance_px=np.linalg.norm(points[:, 0, 0] - points[:, 1, 0], axis=1),
        masks=np.stack([frame.masks for frame in frames]),
        label=clip.label,
        source=clip.film,
        manner=tracks.manner,
    )
