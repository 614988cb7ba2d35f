"""What the report and the data card say of the clips: how many of which class and source on which side."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from components.datasets.clips import SIDES, Label


def data_section(labels: Mapping[str, Label], classes: Sequence[str]) -> dict[str, Any]:
    """Clips and source groups by class and split, sources on several sides, and what was set aside why."""
    used = [label for label in labels.values() if label.holdout]
    aside = [label for label in labels.values() if not label.holdout]
    sides = [*SIDES, *sorted({label.holdout for label in used} - set(SIDES))]
    clips = Counter((label.label, label.holdout) for label in used)
    groups = {(label.label, label.holdout, label.source) for label in used}
    sources = _by_source(used, classes, sides)
    return {
        "sides": sides,
        "rows": [
            {
                "name": name,
                "cells": [
                    {"clips": clips[name, side], "groups": _groups(groups, name, side)} for side in sides
                ],
                "clips": sum(clips[name, side] for side in sides),
                "groups": len({source for label, _, source in groups if label == name}),
            }
            for name in classes
        ],
        "clips": len(used),
        "groups": len({label.source for label in used}),
        "sources": sources,
        "torn": sum(len(row["sides"]) > 1 for row in sources),
        "aside": sorted(aside, key=lambda label: (label.reason, label.clip_id)),
    }


def _groups(groups: set[tuple[str, str, str]], name: str, side: str) -> int:
    return len({source for label, holdout, source in groups if (label, holdout) == (name, side)})


def _by_source(used: Sequence[Label], classes: Sequence[str], sides: Sequence[str]) -> list[dict[str, Any]]:
    """Clips of each source group by class, the largest group first."""
    counts = Counter((label.source, label.label) for label in used)
    held = {(label.source, label.holdout) for label in used}
    rows = [
        {
            "source": source,
            "sides": [side for side in sides if (source, side) in held],
            "cells": [counts[source, name] for name in classes],
        }
        for source in {source for source, _ in held}
    ]
    return sorted(rows, key=lambda row: (-sum(row["cells"]), row["source"]))
