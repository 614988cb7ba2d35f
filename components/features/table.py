"""The table of measured numbers: a row per clip and frame."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from components.core.tables import read_csv
from components.features.columns import COLUMNS

FOUND = ("a_found", "b_found")
TABLE_COLUMNS = ("clip_id", "k", "time_s", *FOUND, *COLUMNS)


def table_rows(
    clip_id: str, times_s: np.ndarray, found: np.ndarray, numbers: np.ndarray
) -> Iterator[dict[str, Any]]:
    """The rows of one clip, every number with four decimals, a missing one empty.

    Args:
        clip_id: whose.
        times_s: (T,) seconds.
        found: (T, 2) text, how persons A and B were found.
        numbers: (T, 29), NaN where missing.
    """
    for k, values in enumerate(numbers):
        texts = {name: fixed(float(value)) for name, value in zip(COLUMNS, values, strict=True)}
        persons = {name: str(how) for name, how in zip(FOUND, found[k], strict=True)}
        yield {"clip_id": clip_id, "k": k, "time_s": fixed(float(times_s[k])), **persons, **texts}


def fixed(value: float) -> str:
    """Four decimals, so that the same number is the same text everywhere; NaN is empty."""
    if not np.isfinite(value):
        return ""
    text = f"{value:.4f}"
    return "0.0000" if text == "-0.0000" else text


def read_numbers(path: Path) -> dict[str, np.ndarray]:
    """The table by clip, sorted: (T, 29) float32 in the order of frames, NaN where a number is missing."""
    rows: dict[str, list[tuple[int, list[float]]]] = {}
    for row in read_csv(path, TABLE_COLUMNS):
        values = [float(row[column]) if row[column] else np.nan for column in COLUMNS]
        rows.setdefault(row["clip_id"], []).append((int(row["k"]), values))
    return {
        clip_id: np.array([values for _, values in sorted(frames)], np.float32)
        for clip_id, frames in sorted(rows.items())
    }
