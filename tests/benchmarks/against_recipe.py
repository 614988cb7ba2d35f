"""extract to featurize beside the recipe of paper 000, on the same clips in one run."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import Any

import h5py
import numpy as np

from components.core.files import file_sha256
from components.core.weights import locate
from components.segmentation.pixellib_worker import ENVIRONMENT, PERSON
from tests.benchmarks.workload import RealClip, forget_work, real_clips, real_project, stage_seconds
from tests.flow import Checkout

STAGES = (("extract",), ("segment",), ("featurize",))
FIRST = 2  # clips at which graphs are built and networks loaded: one for each worker
HERE = Path(__file__).parent


def measure(project_root: Path, data: Path, target: Path, count: int = 8) -> dict[str, Any]:
    """Clips a second of the recipe, of the default backends, and of the recipe's own backends."""
    weights = random_weights(project_root, target)
    first, *rest, last = real_clips(data, FIRST + count)
    clips = [first, last, *rest]  # one of each label ahead
    recipe = run_recipe(weights, [path for path, _, _ in clips])
    rows = [{"what": "recipe", "clips_per_s": count / sum(recipe["seconds"][FIRST:])}]
    differences = None
    for name, change in (("defaults", None), ("recipe's backends", with_recipes_backends(weights))):
        projects = {}
        for part, some in (("first", clips[:FIRST]), ("all", clips)):
            (target / name / part).mkdir(parents=True)
            projects[part] = real_project(project_root, target / name / part, some)
            if change:
                projects[part].params(change)
        rows.append(
            {"what": name, "clips_per_s": count / (seconds(projects["all"]) - seconds(projects["first"]))}
        )
        if change:
            differences = mask_differences(projects["all"], clips, recipe["mask_shares"])
    for row in rows:
        row["times_the_recipe"] = row["clips_per_s"] / rows[0]["clips_per_s"]
    return {"clips": count, "rows": rows, **(differences or {})}


def seconds(project: Checkout) -> float:
    """Time of the stages."""
    forget_work(project)
    stage_seconds(project, ("ingest",))
    return sum(stage_seconds(project, stage) for stage in STAGES)


def mask_differences(
    project: Checkout, clips: list[RealClip], recipes: list[list[float]]
) -> dict[str, float]:
    """How far the persons' shares of the clips' pictures lie from the recipe's."""
    with (project.folder / "outs/segment/index.csv").open() as stream:
        ours = {Path(row["clip_id"]).stem: float(row["person_share"]) for row in csv.DictReader(stream)}
    pairs = [
        (mean(shares), ours[f"{path.stem}-0"]) for (path, _, _), shares in zip(clips, recipes, strict=True)
    ]
    return {
        "mean_person_share": mean(share for share, _ in pairs),
        "largest_difference_of_person_share": max(abs(share - our) for share, our in pairs),
    }


def random_weights(project_root: Path, target: Path) -> Path:
    """Mask R-CNN's tensors, random but for heads that find about ten persons in a frame."""
    script = project_root / "tests/components/segmentation/random_mask_rcnn.py"
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(project_root)}
    subprocess.run(
        [sys.executable, str(script), str(target)], env=environment, check=True, capture_output=True
    )
    path = target / "mask_rcnn_coco.h5"
    with h5py.File(path, "r+") as file:
        layer = file["mrcnn_class_logits/mrcnn_class_logits"]
        kernel, bias = np.zeros(layer["kernel:0"].shape), np.zeros(layer["bias:0"].shape)
        kernel[:, PERSON] = np.random.default_rng(0).normal(scale=0.337, size=len(kernel))
        bias[PERSON] = 27.1  # one of a hundred proposals is a person
        layer["kernel:0"][...], layer["bias:0"][...] = kernel, bias
    return path


def run_recipe(weights: Path, videos: list[Path]) -> dict[str, Any]:
    """The recipe's seconds and persons' shares for every video."""
    predictor = locate("dlib_68_landmarks")
    command = [sys.executable, str(HERE / "recipe.py"), str(weights), str(predictor), *map(str, videos)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def with_recipes_backends(weights: Path):
    """params.yaml with Mask R-CNN, dlib's detector and dlib's predictor."""

    def change(params):
        params["segment"] = {
            "backend": "pixellib",
            "dilate_px": 0,
            "pixellib": {"weights": str(weights), "sha256": file_sha256(weights)},
        }
        params["featurize"].update(detector="dlib_hog", landmarks="dlib68")

    return change
