"""DVC run as a command of this environment, whether or not its folder is on the caller's path."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

from components.core import system

COMMAND = (sys.executable, "-m", "dvc")


def environment(**changes: str) -> dict[str, str]:
    """The environment of this process, its own commands first on the path: stages are such commands."""
    own = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([own, os.environ.get("PATH", os.defpath)]), **changes}


def run_dvc(root: Path, *arguments: str, within: Mapping[str, str] | None = None) -> CompletedProcess[str]:
    """Run a DVC command in a project and take what it prints.

    Args:
        within: its environment, in place of `environment()`.
    """
    return system.run([*COMMAND, *arguments], cwd=root, env=dict(within or environment()))
