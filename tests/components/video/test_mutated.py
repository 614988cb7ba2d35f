"""Damaged videos: each is read, read in part or refused; none hangs, and none ends the process that asks."""

from pathlib import Path

import pytest

from tests.hostile import told, verdicts

pytestmark = pytest.mark.slow


def test_every_damaged_video_has_its_verdict(tmp_path: Path) -> None:
    found = verdicts(tmp_path, range(500))
    assert sorted(found) == list(range(500))
    kinds = [kind for kind, _, _ in found.values()]
    assert not {"wrong", "ended"} & set(kinds), told(found)
    assert min(kinds.count(kind) for kind in ("whole", "partial", "refused")) > 50, told(found)
