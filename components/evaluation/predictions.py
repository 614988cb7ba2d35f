"""The table of one model's predictions: what evaluate writes and what every later comparison reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.errors import BadDataError
from components.core.files import digest
from components.evaluation.metrics import Scored, number_or_none
from components.evaluation.paired import Pair

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class ClipPredictions:
    """Predictions of N clips of K classes.

    Attributes:
        clip_ids, splits, groups: (N,) text; the split is train, val or test, of folds `fold-k-of-seed-s`.
        labels, predicted: (N,) class index.
        probabilities, raw: (N, K), calibrated and as the model gave them.
        coverage: (N,) share of the wanted measurements that were really measured; NaN where not known.
        classes: K names.
        scores: (N,) of a scorer of anomalies, whose probabilities are NaN; else None.
    """

    clip_ids: NDArray[np.str_]
    splits: NDArray[np.str_]
    groups: NDArray[np.str_]
    labels: Integers
    predicted: Integers
    probabilities: Floats
    raw: Floats
    coverage: Floats
    classes: tuple[str, ...]
    scores: Floats | None = None

    def scored(self) -> Scored:
        """All clips with their labels."""
        return Scored(self.labels, self.predicted, self.probabilities, self.groups, self.classes, self.scores)

    def of_split(self, split: str) -> "ClipPredictions":
        """The clips of one split."""
        return self.where(self.splits == split)

    def where(self, chosen: NDArray[np.bool_] | Integers) -> "ClipPredictions":
        """The clips that `chosen` picks: a mask (N,), or indices in the wanted order."""
        return ClipPredictions(
            self.clip_ids[chosen],
            self.splits[chosen],
            self.groups[chosen],
            self.labels[chosen],
            self.predicted[chosen],
            self.probabilities[chosen],
            self.raw[chosen],
            self.coverage[chosen],
            self.classes,
            None if self.scores is None else self.scores[chosen],
        )

    def by_clip(self) -> "ClipPredictions":
        """The same in the order of their clip_id."""
        return self.where(np.argsort(self.clip_ids))


def columns(classes: Sequence[str]) -> tuple[str, ...]:
    """Columns of predictions.csv."""
    named = [f"{kind}_{name}" for kind in ("p", "raw") for name in classes]
    return ("clip_id", "split", "source", "label", "predicted", *named, "score", "coverage")


def to_rows(table: ClipPredictions) -> Iterator[dict[str, Any]]:
    """Rows of predictions.csv; numbers in the shortest form that reads back as the same number."""
    for i, clip_id in enumerate(table.clip_ids):
        row = {
            "clip_id": str(clip_id),
            "split": str(table.splits[i]),
            "source": str(table.groups[i]),
            "label": table.classes[table.labels[i]],
            "predicted": table.classes[table.predicted[i]],
            "score": None if table.scores is None else float(table.scores[i]),
            "coverage": number_or_none(table.coverage[i]),
        }
        row |= {
            f"p_{name}": number_or_none(table.probabilities[i, k]) for k, name in enumerate(table.classes)
        }
        row |= {f"raw_{name}": number_or_none(table.raw[i, k]) for k, name in enumerate(table.classes)}
        yield row


def from_rows(rows: Sequence[Mapping[str, str]], classes: tuple[str, ...]) -> ClipPredictions:
    """The predictions that `to_rows` wrote.

    Raises:
        BadDataError: a label that is none of the classes.
    """
    return ClipPredictions(
        clip_ids=_texts(rows, "clip_id"),
        splits=_texts(rows, "split"),
        groups=_texts(rows, "source"),
        labels=class_indices([row["label"] for row in rows], classes),
        predicted=class_indices([row["predicted"] for row in rows], classes),
        probabilities=_numbers(rows, [f"p_{name}" for name in classes]),
        raw=_numbers(rows, [f"raw_{name}" for name in classes]),
        coverage=_numbers(rows, ["coverage"])[:, 0],
        classes=classes,
        scores=_numbers(rows, ["score"])[:, 0] if any(row["score"] for row in rows) else None,
    )


def parts_of(
    rows: Sequence[Mapping[str, str]], classes: tuple[str, ...]
) -> list[tuple[int, ClipPredictions]]:
    """The predictions of a table with a column `seed`: one part for each seed and split."""
    parts: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for row in rows:
        parts.setdefault((row["seed"], row["split"]), []).append(row)
    return [(int(seed), from_rows(part, classes)) for (seed, _), part in parts.items()]


def class_indices(names: Sequence[str], classes: tuple[str, ...]) -> Integers:
    """Index (N,) of each class name.

    Raises:
        BadDataError: a name that is none of the classes.
    """
    strangers = sorted(set(names) - set(classes))
    if strangers:
        raise BadDataError(
            f"A clip is labelled `{strangers[0]}`",
            wanted=f"one of {', '.join(classes)}",
            remedy="run `dvc repro`, or correct dataset.classes in params.yaml",
        )
    return np.array([classes.index(name) for name in names], dtype=np.int64)


def digest_of_test_set(table: ClipPredictions, contents: Mapping[str, str]) -> str:
    """Digest of the test set: its clips, what they hold, their labels and source groups.

    Args:
        contents: clip_id to what the clip holds: its file's digest and its span.
    """
    test = table.of_split("test")
    parts = zip(test.clip_ids, test.labels, test.groups, strict=True)
    return digest(
        sorted([str(clip), contents[str(clip)], table.classes[k], str(group)] for clip, k, group in parts)
    )


def pair_on(split: str, first: ClipPredictions, second: ClipPredictions) -> Pair:
    """Two models' predictions of the same clips of a split, joined by clip.

    Raises:
        BadDataError: the two do not speak of the same clips and labels.
    """
    one, other = (table.of_split(split).by_clip() for table in (first, second))
    same = np.array_equal(one.clip_ids, other.clip_ids) and np.array_equal(one.labels, other.labels)
    if not same:
        raise BadDataError(
            f"Evaluations of {len(one.clip_ids)} and {len(other.clip_ids)} {split} clips that do not match",
            wanted=f"the same {split} clips under the same labels",
            remedy="evaluate both models on one state of the data: `dvc repro`",
        )
    return Pair(one.labels, one.predicted, other.predicted, one.groups)


def _texts(rows: Sequence[Mapping[str, str]], column: str) -> NDArray[np.str_]:
    return np.array([row[column] for row in rows], dtype=np.str_)


def _numbers(rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> Floats:
    values = [[float(row[name] or "nan") for name in names] for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(rows), len(names))
