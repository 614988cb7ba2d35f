"""Focused bag: of a clip's M frames those that hold its main motion, and a few of them evenly in time."""

from dataclasses import dataclass

import numpy as np

from components.core.errors import BadDataError, UsageError

_LUMA = (77, 150, 29)  # of 256; whole numbers, so that every machine chooses the same frames


@dataclass(frozen=True)
class Focus:
    """How frames are chosen.

    Attributes:
        frames: how many are chosen; a clip with fewer repeats its last one.
        block: consecutive frames that are kept or left together.
        coverage: share of the clip's motion that the kept blocks hold, in (0, 1].

    Source: paper 004, IV-B (20 frames). Block and coverage are ours: III-A names "block formation and
    selection" and no numbers.
    """

    frames: int = 20
    block: int = 16
    coverage: float = 0.8

    def __post_init__(self) -> None:
        if self.frames < 1 or self.block < 1 or not 0 < self.coverage <= 1:
            raise UsageError(
                f"focus {self}",
                wanted="frames and block of 1 or more, coverage in (0, 1]",
                remedy="correct the view's focus in params.yaml",
            )


@dataclass(frozen=True)
class FocusedBag:
    """The frames of a clip that were chosen.

    Attributes:
        indices: (L,) int64, not decreasing.
        kept: how many frames the blocks with the main motion have.
    """

    indices: np.ndarray
    kept: int


def focused_bag(frames: np.ndarray, focus: Focus) -> FocusedBag:
    """Choose the frames of a clip that hold its main motion.

    Whole blocks are kept, those with the most motion per frame first, until they hold the wanted share of
    all motion and are long enough for as many frames as are chosen; of a clip without motion all are kept.

    Args:
        frames: (M, H, W, 3) uint8 RGB.

    Raises:
        BadDataError: no frames.

    Source: paper 004, III-A, "focused bag". That motion decides is ours: UCF-Crime tells the times of the
    behaviour for its test videos alone.
    """
    if len(frames) == 0:
        raise BadDataError("no frames to choose from", wanted="one or more", remedy="look at the clip")
    kept = _moving(frames, focus)
    return FocusedBag(_evenly(kept, focus.frames), len(kept))


def motion_energy(frames: np.ndarray) -> np.ndarray:
    """What changed in each frame (M, H, W, 3) since the one before: (M,) int64, the sum of |grey difference|.

    The first frame has none.
    """
    energy = np.zeros(len(frames), np.int64)
    before = _grey(frames[0])
    for k in range(1, len(frames)):
        grey = _grey(frames[k])
        energy[k] = np.abs(grey - before).sum(dtype=np.int64)
        before = grey
    return energy


def _grey(frame: np.ndarray) -> np.ndarray:
    red, green, blue = (frame[..., k].astype(np.int32) for k in range(3))
    grey: np.ndarray = (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue) >> 8
    return grey


def _moving(frames: np.ndarray, focus: Focus) -> np.ndarray:
    """The frames of the blocks with the main motion, in the order of time."""
    energy = motion_energy(frames)
    blocks = np.split(np.arange(len(frames)), range(focus.block, len(frames), focus.block))
    enough = min(focus.frames, len(frames))
    wanted, total = focus.coverage * energy.sum(), int(energy.sum())
    if total == 0:
        return np.arange(len(frames))
    kept: list[np.ndarray] = []
    held = count = 0
    for block in sorted(blocks, key=lambda block: -energy[block].mean()):  # of equals, the earlier
        if held >= wanted and count >= enough:
            break
        kept.append(block)
        held, count = held + int(energy[block].sum()), count + len(block)
    return np.sort(np.concatenate(kept))


def _evenly(kept: np.ndarray, n: int) -> np.ndarray:
    """The centres of n equal spans of the kept frames; of fewer than n all, and the last one again."""
    count = len(kept)
    if count < n:
        return np.concatenate([kept, np.repeat(kept[-1:], n - count)]).astype(np.int64)
    return kept[(2 * np.arange(n) + 1) * count // (2 * n)].astype(np.int64)
