"""One clip added to many: what all stages to reshape take, beside the first run."""

import time
from pathlib import Path
from typing import Any

from tests.benchmarks.workload import add_bytes, real_clips, real_project


def measure(project_root: Path, data: Path, target: Path, count: int = 2000) -> dict[str, Any]:
    """Seconds of `dvc repro reshape` for all clips, for one more, and for none."""
    clips = real_clips(data, 250)
    copies = -(-count // len(clips))
    project = real_project(project_root, target, clips, copies)
    seconds = {"all": timed(project)}
    table = project.folder / "data/bench/clips.csv"
    path, label, source = clips[0]
    added = project.folder / "data/bench" / label / "added.mp4"
    added.write_bytes(path.read_bytes())
    add_bytes(added, copies + 1)
    table.write_text(table.read_text() + f"{label}/added.mp4,{label},{source}\n")
    seconds["one more"] = timed(project)
    seconds["none"] = timed(project)
    return {
        "clips": copies * len(clips),
        "seconds": seconds,
        "share_of_all": seconds["one more"] / seconds["all"],
    }


def timed(project) -> float:
    started_s = time.perf_counter()
    project.repro("reshape")
    return time.perf_counter() - started_s
