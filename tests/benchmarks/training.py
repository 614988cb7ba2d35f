"""train on few clips and on ten times as many: an epoch's time and the memory of the whole command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from components.core.files import write_json
from components.datasets.clips import Label
from components.features.columns import COLUMNS
from pipelines.artifacts import Project, write_labels
from tests.benchmarks.process_tree import peak_mib_of
from tests.flow import Checkout, copy_project

VIEW = "people128"
SIDES = ("train", "train", "train", "val", "test")
SCRIPT = """
import json
from pathlib import Path
from components.training.observer import Unwatched
from pipelines import train
from pipelines.artifacts import Project

class Timer(Unwatched):
    seconds = []
    def on_epoch(self, epoch, metrics):
        self.seconds.append(metrics["seconds"])

train.run(Project.open(Path.cwd()), "fusion", Timer())
print(json.dumps(min(Timer.seconds[1:])))
"""


def measure(root: Path, target: Path, counts: tuple[int, ...] = (100, 300, 1000)) -> dict[str, Any]:
    """For each number of clips the seconds of fusion's fastest epoch after the first, and peak MiB."""
    rows = []
    for count in counts:
        project = laid_out(root, target / str(count), count)
        epoch_s = epoch_seconds(project)
        peak = peak_mib_of(["tailwatch", "-q", "train", "fusion"], project.folder, project.environment())
        rows.append(
            {"clips": count, "epoch_s": epoch_s, "ms_per_clip": 1000 * epoch_s / count, "peak_mib": peak}
        )
    return {"rows": rows, "memory_ratio": rows[-1]["peak_mib"] / rows[0]["peak_mib"]}


def epoch_seconds(project: Checkout) -> float:
    """Seconds of the fastest epoch but the first, which compiles."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    seconds: float = json.loads(done.stdout.splitlines()[-1])
    return seconds


def laid_out(root: Path, target: Path, count: int) -> Checkout:
    """A project up to train's inputs, with noise for films."""
    target.mkdir(parents=True)
    project = copy_project(root, target)
    project.params(lambda params: params["train"].update(epochs=3, patience=3))
    opened = Project.open(project.folder)
    classes = opened.params.dataset.classes
    clip_ids = [f"{classes[k % 2]}/{k:05d}.mp4" for k in range(count)]
    folder = opened.out("reshape", VIEW)
    folder.mkdir(parents=True)
    write_json(folder / "clips.json", {"clips": clip_ids, "view": {}, "columns": list(COLUMNS)})
    rng = np.random.default_rng(27)
    frames = np.lib.format.open_memmap(
        folder / "frames.npy", mode="w+", dtype=np.uint8, shape=(count, 5, 128, 128, 3)
    )
    for k in range(count):
        frames[k] = rng.integers(0, 256, frames.shape[1:], np.uint8)
    frames.flush()
    np.save(folder / "numbers.npy", rng.normal(900, 50, (count, 5, 29)).astype(np.float32))
    scaler = {"mean": [900.0] * 29, "scale": [50.0] * 29, "n": [9] * 29, "fit_on": "train", "leaky": False}
    write_json(opened.out("normalize", "scalers.json"), {"holdout": scaler})
    labels = [
        Label(name, classes[k % 2], (), f"film{k // 2}", SIDES[k // 2 % len(SIDES)], "")
        for k, name in enumerate(clip_ids)
    ]
    write_labels(opened.out("ingest", "labels.csv"), labels)
    return project
