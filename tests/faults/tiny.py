"""A project so small that every operation of a whole run can be made to fail."""

import hashlib
import os
import shutil
from pathlib import Path

from tests.flow import Checkout, copy_project
from tests.video_factory import write_video

BEFORE_TRAIN = (
    ("ingest",),
    ("extract",),
    ("segment",),
    ("featurize",),
    ("normalize",),
    ("reshape", "numbers"),
    ("reshape", "people48"),
)
AFTER = (
    ("train", "majority"),
    ("train", "logistic"),
    ("evaluate", "majority"),
    ("evaluate", "logistic"),
    ("compare",),
)
SIDES = ("train", "train", "val", "test")


def make_project(project_root: Path, target: Path, *, network: bool) -> Checkout:
    """Eight clips of two classes, a linear model and, as the other, the network or the larger class."""
    made = copy_project(project_root, target)
    data = made.folder / "data/tiny"
    lines = ["clip,label,source,split"]
    for k, side in enumerate(SIDES):
        for label in ("calm", "wild"):
            name = f"{label}/{k}.mp4"
            (data / label).mkdir(parents=True, exist_ok=True)
            write_video(data / name, 12, first=20 * k + 10 * (label == "wild"))
            lines.append(f"{name},{label},film{k},{side}")
    (data / "clips.csv").write_text("\n".join(lines) + "\n")

    def shrink(params):
        params["dataset"].update(root="data/tiny", classes=["calm", "wild"])
        params["split"].update(strategy="given", fractions={"train": 0.5, "val": 0.25, "test": 0.25})
        params["samplings"]["uniform5"].update(frames=2)
        params["segment"] = {"backend": "selfie", "selfie": {"regions": "frame"}}
        params["views"] = {
            "numbers": params["views"]["numbers"],
            "people48": {**params["views"]["people128"], "height": 48, "width": 48},
        }
        params["models"] = {"logistic": params["models"]["logistic"]}
        looker = "fusion" if network else "majority"
        params["models"][looker] = {"view": "people48", "runs_on": "cpu"}
        params["train"].update(epochs=2, patience=2, batch=2)
        params["evaluate"]["bootstrap"]["samples"] = 20
        params["compare"].update(baselines=["logistic"], paper_rows=[])

    made.params(shrink)
    return made


def copy_of(project: Checkout, target: Path) -> Checkout:
    """A second project in the same state."""
    shutil.copytree(project.folder, target, symlinks=True)
    return Checkout(target)


def results(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under outs that has its final name."""
    found = sorted(path for path in (folder / "outs").rglob("*") if path.is_file() and path.suffix != ".tmp")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def residue(folder: Path) -> list[str]:
    """Temporary files."""
    return sorted(os.path.relpath(path, folder) for path in folder.rglob("*.tmp"))
