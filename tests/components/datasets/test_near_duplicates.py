"""Near-duplicates: copies are found, neighbours of one camera are not."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from components.datasets.near_duplicates import near_duplicates
from components.video.fingerprint import fingerprint

RNG = np.random.default_rng(27)
CAMERA = RNG.integers(30, 200, (32, 32))


def film(seed: int, camera: np.ndarray = CAMERA, moving: float = 25) -> np.ndarray:
    """Eight pictures of one camera; a bright patch walks where the seed says."""
    generator = np.random.default_rng(seed)
    pictures = np.repeat(camera[None].astype(float), 8, axis=0)
    for picture in pictures:
        y, x = generator.integers(0, 24, 2)
        picture[y : y + 8, x : x + 8] += moving
    return pictures


def as_bytes(pictures: np.ndarray) -> np.ndarray:
    return np.clip(pictures, 0, 255).astype(np.uint8)


def test_a_noisy_brighter_copy_is_found_and_neighbours_are_not() -> None:
    copy = film(1) * 1.05 + 4 + RNG.normal(0, 1, (8, 32, 32))
    films = [as_bytes(pictures) for pictures in (film(1), film(2), copy, film(3))]
    assert [(pair.first, pair.second) for pair in near_duplicates(films)] == [(0, 2)]


def test_still_clips_of_one_camera_are_copies() -> None:
    still = [as_bytes(film(k, moving=0) + RNG.normal(0, 0.5, (8, 32, 32))) for k in range(2)]
    assert len(near_duplicates(still)) == 1


def test_black_clips_are_not_compared() -> None:
    assert near_duplicates([np.zeros((8, 32, 32), np.uint8)] * 3) == []


@pytest.mark.parametrize("count", [0, 1])
def test_too_few(count: int) -> None:
    assert near_duplicates([as_bytes(film(1))] * count) == []


def test_many_clips_are_compared_in_parts() -> None:
    films = [as_bytes(film(k, RNG.integers(0, 255, (32, 32)))) for k in range(600)]
    films.append(films[3])
    assert [(pair.first, pair.second) for pair in near_duplicates(films)] == [(3, 600)]


def encoded_again(source: Path, target: Path) -> Path:
    """Half the size, every second frame, another codec."""
    with av.open(str(source)) as reading, av.open(str(target), "w") as writing:
        video = reading.streams.video[0]
        rate = Fraction(video.average_rate or 25) / 2
        stream = writing.add_stream("mpeg4", rate=rate.limit_denominator(60000))
        stream.width, stream.height = video.width // 4 * 2, video.height // 4 * 2
        stream.pix_fmt, stream.bit_rate = "yuv420p", 400_000
        for k, frame in enumerate(reading.decode(video)):
            if k % 2 == 0:
                small = frame.reformat(stream.width, stream.height, "yuv420p")
                small.pts, small.time_base = k // 2, 1 / rate.limit_denominator(60000)
                writing.mux(stream.encode(small))
        writing.mux(stream.encode(None))
    return target


def test_clips_of_one_incident_and_their_copies(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "surveillance-fights"
    originals = [folder / "fight" / f"fi{k:03}.mp4" for k in range(46, 51)]  # cut one after the other
    copies = [encoded_again(path, tmp_path / f"{path.stem}.mkv") for path in originals[:2]]
    pictures = [fingerprint(path)[1] for path in [*originals, *copies]]
    assert [(pair.first, pair.second) for pair in near_duplicates(pictures)] == [(0, 5), (1, 6)]
