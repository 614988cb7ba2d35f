"""Coverage: the share of the wanted measurements that were really measured.

Ours: paper 000 does not say what becomes of clips whose faces are hardly found. Here they are flagged and not
dropped, so that a result can be given with and without them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def clip_coverage(numbers: np.ndarray, min_coverage: float) -> dict[str, Any]:
    """One clip's coverage.

    Args:
        numbers: (T, 29), NaN where missing.
        min_coverage: share below which the clip is flagged.

    Returns:
        `coverage` of all numbers, `a` and `b` of frames in which the person was found, `flagged`.
    """
    measured = np.isfinite(numbers)
    coverage = float(measured.mean())
    return {
        "coverage": _rounded(coverage),
        "a": _rounded(measured[:, 0].mean()),
        "b": _rounded(measured[:, 12].mean()),
        "flagged": coverage < min_coverage,
    }


def group_coverage(
    clips: Mapping[str, Mapping[str, Any]], groups: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """The clips' coverage by group (class, or split): clips, mean coverage, flagged clips.

    Args:
        clips: `clip_coverage` by clip_id.
        groups: the group of each clip that counts.
    """
    return {
        name: _of(clips[clip] for clip in groups if groups[clip] == name)
        for name in sorted(set(groups.values()))
    }


def _of(clips: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    members = list(clips)
    mean = _rounded(np.mean([clip["coverage"] for clip in members]))
    return {
        "clips": len(members),
        "coverage": mean,
        "flagged": sum(bool(clip["flagged"]) for clip in members),
    }


def _rounded(share: Any) -> float:
    return round(float(share), 6)
