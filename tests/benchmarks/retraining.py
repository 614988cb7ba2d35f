"""What `run-stage` costs beside the bare stage, and what a second machine gains."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.workload import real_clips, real_project, small_project
from tests.integration.retraining import Machine, commit

STAGES = ("ingest", "extract", "segment", "featurize", "normalize", "reshape@people128")
OVER_CLIPS = ("extract", "segment", "featurize")


def measure(project_root: Path, data: Path, target: Path, clips: int = 200) -> dict[str, Any]:
    """Seconds of each stage on ten tiny clips, bare and as a task; of many real clips on one or two."""
    (target / "small").mkdir()
    found = {"rows": _costs(project_root, target / "small")}
    seconds = {}
    for machines in (1, 2):
        folder = target / str(machines)
        folder.mkdir()
        seconds[str(machines)] = _cold(project_root, data, folder, clips, machines)
    return {**found, "clips": clips, "seconds": seconds, "share": seconds["2"] / seconds["1"]}


def _costs(project_root: Path, target: Path) -> list[dict[str, Any]]:
    project = small_project(project_root, target, 10)
    commit(project)
    machine = Machine(project, target / "machine")
    seconds: dict[str, dict[str, float]] = {stage: {} for stage in STAGES}
    for run, column in (("r1", "task"), ("r2", "unchanged")):
        machine.run("begin-run", run)
        for stage in STAGES:
            seconds[stage][column] = _seconds(machine.run, "run-stage", stage, "--run", run)
    project.run("rm", "-rf", ".tailwatch/store")
    for stage in STAGES:
        seconds[stage]["bare"] = _seconds(project.run, "tailwatch", *stage.split("@"))
    return [{"stage": stage, **found} for stage, found in seconds.items()]


def _cold(project_root: Path, data: Path, target: Path, clips: int, count: int) -> float:
    """Seconds of the stages over clips, each machine with one core."""
    project = real_project(project_root, target, real_clips(data, clips))
    commit(project)
    machines = [Machine(project, target / f"machine{k}", {"TAILWATCH_WORKERS": "1"}) for k in range(count)]
    machines[0].run("begin-run", "r")
    machines[0].stages("r", "ingest")

    def stages() -> None:
        for stage in OVER_CLIPS:
            parts = [
                machine.start("run-stage", stage, "--run", "r", "--part", f"{k}/{count}")
                for k, machine in enumerate(machines, start=1)
            ]
            for part in parts:
                part.communicate()
                if part.returncode:
                    raise RuntimeError(f"a part of {stage} ended with {part.returncode}")
            machines[0].stages("r", stage)

    return _seconds(stages)


def _seconds(action: Callable[..., Any], *arguments: str) -> float:
    started_s = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - started_s
