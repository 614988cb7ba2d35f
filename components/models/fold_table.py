"""What the models of folds say of the clips that they did not learn from: folds.csv, which train writes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Said:
    """What the model of one fold and seed says of n clips.

    Attributes:
        split: `fold-k-of-seed-s`, or `holdout` where models are varied without folds.
        clip_ids, sides: (n,); the side is val or test.
        predicted: (n,) class index.
        probabilities, raw: (n, K), calibrated and as the model gave them; NaN of a scorer of anomalies.
        scores: (n,) of a scorer of anomalies; else None.
    """

    split: str
    seed: int
    clip_ids: Sequence[str]
    sides: Sequence[str]
    predicted: np.ndarray
    probabilities: np.ndarray
    raw: np.ndarray
    scores: np.ndarray | None = None


def answer_columns(classes: Sequence[str]) -> tuple[str, ...]:
    """Columns of what was said, which every folds.csv has."""
    named = (f"{kind}_{name}" for kind in ("p", "raw") for name in classes)
    return ("split", "seed", "side", "clip_id", "predicted", *named, "score")


def fold_columns(classes: Sequence[str]) -> tuple[str, ...]:
    """Columns of folds.csv as it is written; those of before lack the last."""
    return (*answer_columns(classes), "cut_short")


def fold_rows(said: Said, classes: Sequence[str], cut_short: bool | None = None) -> Iterator[dict[str, Any]]:
    """Rows of folds.csv; numbers in the shortest form that reads back as the same number.

    Args:
        cut_short: whether the budget of steps ended the training; None where that is not known.
    """
    for i, clip_id in enumerate(said.clip_ids):
        row = {
            "split": said.split,
            "seed": said.seed,
            "side": said.sides[i],
            "clip_id": clip_id,
            "predicted": classes[said.predicted[i]],
            "score": None if said.scores is None else float(said.scores[i]),
            "cut_short": None if cut_short is None else int(cut_short),
        }
        row |= {f"p_{name}": _or_none(said.probabilities[i, k]) for k, name in enumerate(classes)}
        yield row | {f"raw_{name}": _or_none(said.raw[i, k]) for k, name in enumerate(classes)}


def said_of_folds(rows: Sequence[Mapping[str, str]], classes: Sequence[str]) -> list[Said]:
    """What `fold_rows` wrote, one entry per fold and seed."""
    parts: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for row in rows:
        parts.setdefault((row["split"], row["seed"]), []).append(row)
    return [
        Said(
            split,
            int(seed),
            [row["clip_id"] for row in part],
            [row["side"] for row in part],
            np.array([classes.index(row["predicted"]) for row in part], np.int64),
            _numbers(part, [f"p_{name}" for name in classes]),
            _numbers(part, [f"raw_{name}" for name in classes]),
            _numbers(part, ["score"])[:, 0] if any(row["score"] for row in part) else None,
        )
        for (split, seed), part in parts.items()
    ]


def cut_short_of_folds(rows: Sequence[Mapping[str, str]]) -> list[bool | None]:
    """Whether the budget of steps ended the training, one entry per fold and seed; None where not known."""
    told = {(row["split"], row["seed"]): row.get("cut_short", "") for row in rows}
    return [None if value == "" else value == "1" for value in told.values()]


def _numbers(rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> np.ndarray:
    return np.array([[float(row[name] or "nan") for name in names] for row in rows], np.float64)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
