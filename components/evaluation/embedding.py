"""Clips as points of a plane: those that a model finds alike lie together.

Source: van der Maaten, Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008.
"""

import numpy as np

from components.core.errors import BadDataError

DIRECTIONS = 50  # of greatest variance, kept before the neighbours are looked for
PERPLEXITY = 30.0
MIN_CLIPS = 4
_SMALL_START = 1e-4  # standard deviation of the first direction, as scikit-learn starts from PCA


def lay_out(values: np.ndarray, seed: int) -> np.ndarray:
    """Places (N, 2) of N clips; only who lies beside whom has a meaning, not axes, sizes or distances.

    Args:
        values: (N, D).

    Raises:
        BadDataError: fewer than MIN_CLIPS clips, or clips that are all alike.

    Example: 100 clips of 4,096 features -> 50 directions -> 2, at a perplexity of 30; of 10 clips, of 3.
    """
    from sklearn.manifold import TSNE

    if len(values) < MIN_CLIPS or not np.ptp(values, axis=0).any():
        raise BadDataError(
            f"{len(values)} clips" + (", all alike" if len(values) >= MIN_CLIPS else ""),
            wanted=f"{MIN_CLIPS} clips or more that differ",
            remedy="add clips to the val and test sides, or train the model longer",
        )
    directions = _principal(np.asarray(values, np.float64))
    start = np.zeros((len(values), 2))
    start[:, : directions.shape[1]] = directions[:, :2] * (_SMALL_START / directions[:, 0].std())
    # Of so few clips the exact gradient is faster, and the same on any number of threads.
    tsne = TSNE(2, perplexity=perplexity(len(values)), init=start, random_state=seed, method="exact")
    places: np.ndarray = np.asarray(tsne.fit_transform(directions), np.float64)
    return places


def perplexity(n: int) -> float:
    """How many neighbours count for each of N clips: PERPLEXITY, of few clips a third of the others."""
    return min(PERPLEXITY, (n - 1) / 3)


def _principal(values: np.ndarray) -> np.ndarray:
    """The directions (N, P) of greatest variance, at most DIRECTIONS."""
    from sklearn.decomposition import PCA

    kept = min(DIRECTIONS, *values.shape)
    return np.asarray(PCA(kept, svd_solver="full").fit_transform(values))
