"""Properties of the files that give the label away: a model can learn them instead of behaviour."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

FLUKE = 0.001  # chance of a value lying in one class alone, were value and class independent


def tells(properties: Sequence[Mapping[str, str]], labels: Sequence[str]) -> dict[str, Any]:
    """How far each property of the files tells the label.

    Args:
        properties: of each clip: {"size": "704x480", ...}, the same keys for all.
        labels: of each clip.

    Returns:
        By property: `counts` (value to label to clips); `guess`, the share of clips whose label is that of
        most clips of equal value, beside `guess_blind`, the share of the most frequent label; `one_label`,
        values that occur under one label alone, though more often than chance explains.
    """
    totals = Counter(labels)
    names = properties[0] if properties else {}
    blind = max(totals.values(), default=0) / max(1, len(labels))
    return {name: _one([each[name] for each in properties], labels, totals, blind) for name in names}


def _one(
    values: Sequence[str], labels: Sequence[str], totals: Mapping[str, int], blind: float
) -> dict[str, Any]:
    counts: dict[str, Counter[str]] = {value: Counter() for value in sorted(set(values))}
    for value, label in zip(values, labels, strict=True):
        counts[value][label] += 1
    right = sum(max(of_value.values()) for of_value in counts.values())
    return {
        "counts": {value: dict(sorted(of_value.items())) for value, of_value in counts.items()},
        "guess": round(right / len(labels), 4),
        "guess_blind": round(blind, 4),
        "one_label": [
            {"value": value, "label": label, "clips": clips}
            for value, of_value in counts.items()
            for label, clips in of_value.items()
            if len(of_value) == 1 and (totals[label] / len(labels)) ** clips < FLUKE
        ],
    }
