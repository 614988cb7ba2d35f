"""Ten thousand damaged videos: none hangs, none ends the process that asks, none is read wrongly."""

import os
from pathlib import Path

from tests.hostile import told, verdicts

FIRST = int(os.environ.get("SOAK_SEED", "0"))
COUNT, BATCH = 10_000, 500


def test_every_damaged_video_has_its_verdict(tmp_path: Path) -> None:
    found = {}
    for first in range(FIRST, FIRST + COUNT, BATCH):
        folder = tmp_path / str(first)
        folder.mkdir()
        found |= verdicts(folder, range(first, first + BATCH))
    print(told(found))
    assert len(found) == COUNT
    assert not [seed for seed, (kind, _, _) in found.items() if kind == "wrong"], told(found)
