"""`make bench`: measures, writes reports/bench.json and draws docs/performance.md from it.

Run as `python -m tests.benchmarks.bench [SECTION...]`; sections that are not named keep the figures they had.
"""

import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.core.files import write_json, write_text
from tests.benchmarks import (
    against_recipe,
    convgru,
    fusion_step,
    incremental,
    memory,
    retraining,
    second_head,
    stages,
    training,
)
from tests.benchmarks.page import page

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared/data"

SECTIONS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "stages": lambda folder: stages.measure(ROOT, DATA, folder),
    "recipe": lambda folder: against_recipe.measure(ROOT, DATA, folder),
    "memory": lambda folder: memory.measure(ROOT, folder),
    "training": lambda folder: training.measure(ROOT, folder),
    "fusion": lambda _: fusion_step.measure(ROOT),
    "convgru": lambda _: convgru.measure(ROOT),
    "second_head": lambda _: second_head.measure(ROOT),
    "incremental": lambda folder: incremental.measure(ROOT, DATA, folder),
    "retraining": lambda folder: retraining.measure(ROOT, DATA, folder),
}
ON_REAL_CLIPS = {"stages", "recipe", "incremental", "retraining"}


def main(wanted: list[str]) -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # commands are started as a user's are, compiled before
    figures_file = ROOT / "reports/bench.json"
    figures = json.loads(figures_file.read_text()) if figures_file.is_file() else {}
    for name in wanted or SECTIONS:
        if name in ON_REAL_CLIPS and not DATA.is_dir():
            print(f"{name}: left out, the real clips are not at {DATA}")
            continue
        folder = Path(tempfile.mkdtemp(prefix=f"bench-{name}-"))
        try:
            figures[name] = SECTIONS[name](folder)
        finally:
            shutil.rmtree(folder)
        figures["machine"] = {"processor": processor(), "python": platform.python_version()}
        write_json(figures_file, figures)
        print(json.dumps({name: figures[name]}, indent=1))
    if missing := sorted(SECTIONS.keys() - figures.keys()):
        print(f"docs/performance.md stays as it is: not measured here are {', '.join(missing)}")
    else:
        write_text(ROOT / "docs/performance.md", page(figures))


def processor() -> str:
    """What the system says of its processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
