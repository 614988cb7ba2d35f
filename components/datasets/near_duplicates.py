"""Near-duplicates: the same recording encoded again, resized, or at another frame rate.

Clips that were cut one after the other from one camera look alike in every single frame, so frames alone
(perceptual hashes of them, say) cannot tell such a neighbour from a copy. What moves can: two clips are
near-duplicates when their mean pictures agree, and what differs from the mean agrees too. Where nothing moves
in either, the mean pictures decide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

SAME_PICTURE = 0.97  # correlation of mean pictures; copies reach 0.99, 0.98 when their first tenth is cut off
SAME_MOTION = 0.6  # agreement of motion; copies reach 0.88, 0.67 so cut; neighbours stay below 0.45
_NOISE = 1.5  # gray levels that encoding alone changes, after averaging to tiny pictures
_FLAT = 2.0  # gray levels of spread below which a mean picture shows nothing to compare
_ROWS = 128  # clips compared at once, which bounds memory


@dataclass(frozen=True)
class NearDuplicates:
    """Two clips that show the same: their places in the list, and how well their motion agrees, up to 1."""

    first: int
    second: int
    agreement: float


def near_duplicates(
    fingerprints: Sequence[np.ndarray], same_motion: float = SAME_MOTION
) -> list[NearDuplicates]:
    """Find the near-duplicates among clips.

    Args:
        fingerprints: N arrays (M, S, S) uint8 of M tiny gray pictures.
        same_motion: the least agreement of motion.

    Returns:
        Pairs with first < second, in order.
    """
    blocks = [slice(start, start + _ROWS) for start in range(0, len(fingerprints), _ROWS)]
    pairs: list[NearDuplicates] = []
    for place, block in enumerate(blocks):
        rows = _parted(fingerprints[block])
        for other in blocks[place:]:
            columns = rows if other is block else _parted(fingerprints[other])
            for row, column, agreement in _alike(rows, columns, same_motion):
                first, second = block.start + row, other.start + column
                if first < second:
                    pairs.append(NearDuplicates(first, second, agreement))
    return sorted(pairs, key=lambda pair: (pair.first, pair.second))


def _parted(fingerprints: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean pictures (A, S * S) and what differs from them (A, M * S * S), float32."""
    films = np.stack(fingerprints).astype(np.float32)
    means = films.mean(axis=1)
    films -= means[:, None]
    return means.reshape(len(films), -1), films.reshape(len(films), -1)


def _alike(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray], same_motion: float
) -> Iterator[tuple[int, int, float]]:
    """Row, column and agreement of the near-duplicates between two blocks of clips."""
    agreement = _agreement(a[1], b[1])
    alike = (_correlation(a[0], b[0]) >= SAME_PICTURE) & (agreement >= same_motion)
    for row, column in zip(*np.nonzero(alike), strict=True):
        yield int(row), int(column), round(float(agreement[row, column]), 3)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlation of pictures (A, P) with (B, P): (A, B); -1 where one of the two is flat."""
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    spread_a, spread_b = np.sqrt((a**2).mean(axis=1)), np.sqrt((b**2).mean(axis=1))
    product = np.maximum(spread_a, _FLAT)[:, None] * np.maximum(spread_b, _FLAT)[None]
    flat = (spread_a < _FLAT)[:, None] | (spread_b < _FLAT)[None]
    return np.where(flat, -1.0, a @ b.T / a.shape[1] / product)


def _agreement(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One minus the power of the difference, as a share of the power of both motions and of noise: (A, B)."""
    power_a, power_b = (np.einsum("ij,ij->i", part, part) / part.shape[1] for part in (a, b))
    both = power_a[:, None] + power_b[None]
    difference = both - 2 * (a @ b.T) / a.shape[1]
    return 1 - difference / (both + 2 * _NOISE**2)
