"""What stands in for a number that was not measured.

Ours, as paper 000 does not speak of frames with fewer than two faces: the nearest frame of the same clip
where it was measured; else the train side's mean, which is 0 once the scaler has been applied.
"""

import numpy as np


def carry(numbers: np.ndarray) -> np.ndarray:
    """Fill each column of one clip from the nearest frame that has it; of two equally near ones, the earlier.

    Args:
        numbers: (T, D) float with NaN where missing.

    Returns:
        (T, D), NaN only in columns that the clip never measured.
    """
    filled = numbers.copy()
    frames = np.arange(len(numbers))
    for column in range(numbers.shape[1]):
        measured = np.flatnonzero(np.isfinite(numbers[:, column]))
        if len(measured):
            nearest = np.abs(frames[:, None] - measured[None, :]).argmin(axis=1)
            filled[:, column] = numbers[measured[nearest], column]
    return filled
