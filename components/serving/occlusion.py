"""Where a model looks: how much less sure it is of its answer when a part of every frame is grey.

It asks the model as anyone would, without its gradients, so it is the same for every kind of model. A grey
patch is itself something to see: a map shows what hiding does, not what the model would do without the place.

Source: Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from components.models.bundle import Predictions
from components.models.logits import log_odds

GREY = 128  # in a view of differences: no change
PATCH_CELLS = 2  # cells along a patch's side; patches lie a cell apart
OPAQUEST = 0.7
PER_QUESTION = 16  # occluded clips given at once: memory stays flat, however fine the map

Ask = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Occlusion:
    """What hiding does to one answer.

    Attributes:
        whole: how strongly the clip as it is speaks for the answer.
        drops: (cells, cells), rows from the top; how far that falls where the clip is hidden, the mean over
            the patches that hide a cell.
    """

    whole: float
    drops: np.ndarray


def occlude(frames: np.ndarray, ask: Ask, cells: int) -> Occlusion:
    """Hide one patch after the other, each in all frames at once.

    Args:
        frames: (T, H, W, 3) uint8.
        ask: clips (M, T, H, W, 3) to how strongly each speaks for one answer (M,).
        cells: along each side of the frame; a patch is two cells wide and high.

    Example: 8 cells -> patches of a quarter of the side, 7 x 7 of them, half a patch apart.
    """
    y, x = (np.linspace(0, side, cells + 1).round().astype(int) for side in frames.shape[1:3])
    hidden_cells = [(slice(i, i + PATCH_CELLS), slice(j, j + PATCH_CELLS)) for i, j in _corners(cells)]
    whole = float(ask(frames[None])[0])
    total, count = np.zeros((cells, cells)), np.zeros((cells, cells))
    for start in range(0, len(hidden_cells), PER_QUESTION):
        part = hidden_cells[start : start + PER_QUESTION]
        clips = np.stack([_hide(frames, y, x, *patch) for patch in part])
        for patch, answer in zip(part, ask(clips), strict=True):
            total[patch] += whole - answer
            count[patch] += 1
    return Occlusion(whole, total / count)


def questions(cells: int) -> int:
    """How often a model is asked about one clip."""
    return len(_corners(cells)) + 1


def sureness(said: Predictions, place: int) -> np.ndarray:
    """How strongly each of N answers speaks for a class (N,).

    The log odds of its probability before calibration, which of two classes are its logit; of a scorer of
    anomalies the score, with its sign turned for the normal class.
    """
    if said.scores is not None:
        return said.scores if place else -said.scores
    share = said.raw[:, place]
    return log_odds(np.stack([1 - share, share], axis=-1))


def heat_overlay(drops: np.ndarray, width: int, height: int, least: float = 0.0) -> str:
    """An SVG of a picture's size: what the answer stands on in one colour, what speaks against it in another.

    Args:
        drops: (cells, cells); the largest magnitude is the least transparent.
        least: the magnitude below which even the largest is paler, so that nothing is not made to glow.
    """
    largest = max(least, float(np.abs(drops).max())) or 1.0
    cells = len(drops)
    across, down = width / cells, height / cells
    parts = [
        f'<rect class="{"for" if value > 0 else "against"}" x="{j * across:.1f}" y="{i * down:.1f}" '
        f'width="{across:.1f}" height="{down:.1f}" fill-opacity="{OPAQUEST * abs(value) / largest:.2f}">'
        f"<title>{value:+.3f}</title></rect>"
        for (i, j), value in np.ndenumerate(drops)
    ]
    return f'<svg class="heat" viewBox="0 0 {width} {height}" aria-hidden="true">{"".join(parts)}</svg>'


def _corners(cells: int) -> list[tuple[int, int]]:
    """The first cell of every patch: row, column."""
    steps = cells - PATCH_CELLS + 1
    return [(i, j) for i in range(steps) for j in range(steps)]


def _hide(frames: np.ndarray, y: np.ndarray, x: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
    """The clip with some cells grey; `y` and `x` are the cells' edges in pixels."""
    hidden = frames.copy()
    hidden[:, y[rows.start] : y[rows.stop], x[columns.start] : x[columns.stop]] = GREY
    return hidden
