"""Projects with so many clips, in which the pipeline is measured."""

import csv
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.benchmarks.process_tree import peak_mib_of, seconds_of
from tests.flow import Checkout, copy_project
from tests.video_factory import write_video

STAGES = (
    ("ingest",),
    ("extract",),
    ("segment",),
    ("featurize",),
    ("normalize",),
    ("reshape", "people128"),
)
RealClip = tuple[Path, str, str]  # path, label, source
SIDES = ("train", "train", "train", "val", "test")


def real_clips(data: Path, count: int) -> list[RealClip]:
    """So many of the 238 fights, spread evenly: path, label, source."""
    root = data / "surveillance-fights"
    with (root / "clips.csv").open() as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: row["clip"])
    chosen = [rows[k * len(rows) // count] for k in range(count)] if count < len(rows) else rows
    return [(root / row["clip"], row["label"], row["source"]) for row in chosen]


def real_project(project_root: Path, target: Path, clips: Iterable[RealClip], copies: int = 1) -> Checkout:
    """A project on copies of clips; those after the first differ from it by a few bytes behind the film."""
    project = copy_project(project_root, target)
    data = project.folder / "data/bench"
    lines = ["clip,label,source"]
    for path, label, source in clips:
        (data / label).mkdir(parents=True, exist_ok=True)
        for copy in range(copies):
            name = f"{label}/{path.stem}-{copy}{path.suffix}"
            shutil.copyfile(path, data / name)
            if copy:
                add_bytes(data / name, copy)
            lines.append(f"{name},{label},{source}")
    (data / "clips.csv").write_text("\n".join(lines) + "\n")
    labels = sorted({line.split(",")[1] for line in lines[1:]})
    project.params(lambda params: settle(params, labels))
    return project


def small_project(project_root: Path, target: Path, count: int) -> Checkout:
    """A project on so many tiny films, no two alike."""
    project = copy_project(project_root, target)
    data = project.folder / "data/bench"
    lines = ["clip,label,source,split"]
    for k in range(count):
        label = ("calm", "wild")[k % 2]
        name = f"{label}/{k:05d}.mp4"
        (data / label).mkdir(parents=True, exist_ok=True)
        write_video(data / name, 10, first=k % 245)
        add_bytes(data / name, k)
        lines.append(f"{name},{label},film{k // 2},{SIDES[k // 2 % 5]}")
    (data / "clips.csv").write_text("\n".join(lines) + "\n")

    def shrink(params):
        settle(params, ["calm", "wild"])
        params["split"]["strategy"] = "given"
        params["train"].update(epochs=1, patience=1)
        params["evaluate"]["bootstrap"]["samples"] = 50

    project.params(shrink)
    return project


def settle(params, labels):
    params["dataset"].update(root="data/bench", classes=labels)
    params["split"]["strategy"] = "random"


def add_bytes(path: Path, number: int) -> None:
    """An empty box at the end of an mp4: another digest, the same film."""
    with path.open("ab") as stream:
        stream.write(b"\x00\x00\x00\x10free" + number.to_bytes(8, "big"))


def stage_seconds(project: Checkout, stage: tuple[str, ...], workers: int | None = None) -> float:
    """How long one stage's command takes."""
    environment = project.environment()
    if workers:
        environment["TAILWATCH_WORKERS"] = str(workers)
    return seconds_of(["tailwatch", "-q", *stage], project.folder, environment)


def stage_peak_mib(project: Checkout, stage: tuple[str, ...]) -> float:
    """The most memory that one stage's command takes."""
    return peak_mib_of(["tailwatch", "-q", *stage], project.folder, project.environment())


def forget_work(project: Checkout) -> None:
    """Remove all results and the store."""
    for name in ("outs", ".tailwatch"):
        shutil.rmtree(project.folder / name, ignore_errors=True)


def cores() -> int:
    return len(os.sched_getaffinity(0))
