"""extract to featurize beside the recipe of paper 000, on the same clips in one run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from components.core.files import file_sha256
from components.core.weights import locate
from components.segmentation.pixellib_worker import ENVIRONMENT
from tests.benchmarks.workload import forget_work, real_clips, real_project, run_stage
from tests.flow import Checkout

STAGES = (("extract",), ("segment",), ("featurize",), ("reshape", "people128"))
HERE = Path(__file__).parent


def measure(project_root: Path, data: Path, target: Path, count: int = 4) -> dict[str, Any]:
    """Clips a second of the recipe, of the default backends, and of the recipe's own backends."""
    weights = random_weights(project_root, target)
    clips = real_clips(data, count + 1)
    recipe = run_recipe(weights, [path for path, _, _ in clips])
    rows = [{"what": "recipe", "clips_per_s": count / sum(recipe["seconds"])}]
    for name, change in (("defaults", None), ("recipe's backends", with_recipes_backends(weights))):
        (target / name).mkdir()
        project = real_project(project_root, target / name, clips[1:])
        if change:
            project.params(change)
        rows.append({"what": name, "clips_per_s": count / seconds(project)})
    for row in rows:
        row["times_the_recipe"] = row["clips_per_s"] / rows[0]["clips_per_s"]
    return {"clips": count, "rows": rows}


def seconds(project: Checkout) -> float:
    """Time of the stages, less what each takes when everything is made: imports and start."""
    forget_work(project)
    run_stage(project, ("ingest",))
    full = sum(run_stage(project, stage).seconds for stage in STAGES)
    idle = sum(run_stage(project, stage).seconds for stage in STAGES)
    return full - idle


def random_weights(project_root: Path, target: Path) -> Path:
    """Mask R-CNN's tensors, random but for heads that find persons."""
    script = project_root / "tests/components/segmentation/random_mask_rcnn.py"
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(project_root)}
    subprocess.run(
        [sys.executable, str(script), str(target)], env=environment, check=True, capture_output=True
    )
    return target / "mask_rcnn_coco.h5"


def run_recipe(weights: Path, videos: list[Path]) -> dict[str, Any]:
    """The recipe's seconds for every video after the first."""
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
