"""A copy of the project in which whole runs are made."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

FOLDERS = ("components", "pipelines")
FILES = (".dvc/config", ".dvcignore", ".gitignore", "dvc.yaml", "params.yaml", "requirements.lock")


class Checkout:
    """A folder in which commands are run as a user runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def environment(self) -> dict[str, str]:
        """The commands of this environment on the path, the copy's own code before the installed one."""
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder),
            "DVC_NO_ANALYTICS": "1",
        }

    def run(self, *command: str, succeeds: bool = True) -> str:
        """What a command prints; it must end as expected."""
        result = subprocess.run(
            command, cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=900
        )
        text = result.stdout + result.stderr
        assert (result.returncode == 0) is succeeds, text
        return text

    def repro(self, *targets: str) -> tuple[str, set[str]]:
        """What `dvc repro` prints, and the stages that it ran."""
        text = self.run("dvc", "repro", *targets)
        return text, {line.split("'")[1] for line in text.splitlines() if line.startswith("Running stage")}

    def params(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change params.yaml in place."""
        path = self.folder / "params.yaml"
        values = yaml.safe_load(path.read_text())
        change(values)
        path.write_text(yaml.safe_dump(values, sort_keys=False))


def copy_project(project_root: Path, target: Path) -> Checkout:
    """The project without its history, its environment and its results, as a repository of its own."""
    folder = target / "tailwatch"
    folder.mkdir()
    for name in FOLDERS:
        shutil.copytree(project_root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(project_root / name, folder / name)
    checkout = Checkout(folder)
    checkout.run("git", "init", "-q")
    return checkout
