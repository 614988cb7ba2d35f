"""Peak memory of every stage on few clips and on ten times as many."""

from pathlib import Path
from typing import Any

from tests.benchmarks.workload import small_project, stage_peak_mib

STAGES = (
    *(("ingest",), ("extract",), ("segment",), ("featurize",), ("normalize",)),
    *(("reshape", "numbers"), ("reshape", "people128")),
    *(("train", "majority"), ("train", "logistic"), ("train", "fusion")),
    *(("evaluate", "majority"), ("evaluate", "logistic"), ("evaluate", "fusion"), ("compare",)),
)


def measure(project_root: Path, target: Path, few: int = 50, many: int = 500) -> dict[str, Any]:
    """Peak MiB of each stage's process tree, few and many clips side by side."""
    peaks = {}
    for count in (few, many):
        folder = target / str(count)
        folder.mkdir()
        project = small_project(project_root, folder, count)
        peaks[count] = {"@".join(stage): stage_peak_mib(project, stage) for stage in STAGES}
    rows = [
        {
            "stage": name,
            "few_mib": few_mib,
            "many_mib": peaks[many][name],
            "ratio": peaks[many][name] / few_mib,
        }
        for name, few_mib in peaks[few].items()
    ]
    return {"few": few, "many": many, "rows": rows}
