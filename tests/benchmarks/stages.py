"""Every stage over clips: clips a second on one core and on all, and what the machine could do at most."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.workload import (
    STAGES,
    cores,
    forget_work,
    real_clips,
    real_project,
    stage_peak_mib,
    stage_seconds,
)
from tests.flow import Checkout

GRAB = """
import json, sys, time
import cv2
cv2.setNumThreads(1)
best = []
for turn in range(3):
    started = time.perf_counter()
    for video in sys.argv[1:]:
        capture = cv2.VideoCapture(video, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        while capture.grab():
            pass
        capture.release()
    best.append(time.perf_counter() - started)
print(json.dumps(min(best)))
"""

NETWORKS = """
import json, os, sys, time
import cv2
os.environ["TAILWATCH_WORKERS"] = "1"
from pathlib import Path
from ai_edge_litert.interpreter import Interpreter
spent, invoke = [0.0, 0], Interpreter.invoke
def timed(self):
    started = time.perf_counter()
    invoke(self)
    spent[0] += time.perf_counter() - started
    spent[1] += 1
Interpreter.invoke = timed
from pipelines.artifacts import Project, read_clips
project = Project.open(Path("."))
clips = read_clips(project)
make = {"segment": project.chain.masks, "featurize": project.chain.measurements}[sys.argv[1]]
cv2.setNumThreads(1)
started = time.perf_counter()
for clip in clips:
    make(clip)
print(json.dumps([spent[0], time.perf_counter() - started, spent[1]]))
"""


def measure(project_root: Path, data: Path, target: Path, count: int = 120) -> dict[str, Any]:
    """Seconds and memory of each stage on one core and on all, and the share of its limit that it reaches."""
    project = real_project(project_root, target, real_clips(data, count))
    seconds: dict[int, dict[str, float]] = {}
    for workers in sorted({1, cores()}):
        forget_work(project)
        seconds[workers] = {"@".join(stage): stage_seconds(project, stage, workers) for stage in STAGES}
    forget_work(project)
    peaks_mib = {"@".join(stage): stage_peak_mib(project, stage) for stage in STAGES}
    limits = limits_s(project)
    rows = []
    for name, alone in seconds[1].items():
        together = seconds[cores()][name]
        limit_s = limits.get(name)
        rows.append(
            {
                "stage": name,
                "clips_per_s_one_core": count / alone,
                "clips_per_s": count / together,
                "speed_up": alone / together,
                "share_of_limit": limit_s / alone if limit_s else None,
                "peak_mib": peaks_mib[name],
            }
        )
    return {"clips": count, "cores": cores(), "rows": rows}


def limits_s(project: Checkout) -> dict[str, float]:
    """The least seconds of one core: bare decoding, bare networks, bare writing."""
    videos = sorted(str(path) for path in (project.folder / "data/bench").rglob("*.mp4"))
    decoded = ask(project, [sys.executable, "-c", GRAB, *videos])
    limits = {"extract": decoded}
    for stage in ("segment", "featurize"):
        remove_kind(project, stage)
        spent, _, _ = ask(project, [sys.executable, "-c", NETWORKS, stage])
        limits[stage] = spent
    limits["reshape@people128"] = writing_s(project)
    return limits


def remove_kind(project: Checkout, stage: str) -> None:
    kind = {"segment": "masks", "featurize": "measurements"}[stage]
    shutil.rmtree(project.folder / ".tailwatch/store" / kind)


def writing_s(project: Checkout) -> float:
    """Reading the frames out of the store and writing the tensor once."""
    tensor = project.folder / "outs/reshape/people128/frames.npy"
    started_s = time.perf_counter()
    for path in sorted((project.folder / ".tailwatch/store/frames").rglob("*.npz")):
        path.read_bytes()
    copy = tensor.with_suffix(".copy")
    np.save(copy.open("wb"), np.load(tensor, mmap_mode="r"))
    copy.unlink()
    return time.perf_counter() - started_s


def ask(project: Checkout, command: list[str]) -> Any:
    """What a script prints, as JSON."""
    done = subprocess.run(
        command, cwd=project.folder, env=project.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])
