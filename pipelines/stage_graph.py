"""dvc.yaml read as YAML: which stages there are, and what they name."""

from pathlib import Path
from typing import Any

import yaml

from components.core.errors import UsageError
from pipelines.params import Params

STAGES_FILE = "dvc.yaml"


def stages_file(root: Path) -> Path:
    """A project's dvc.yaml.

    Raises:
        UsageError: it is not there, so this is no project.
    """
    path = root / STAGES_FILE
    if not path.is_file():
        raise UsageError(
            f"{path} is not there", wanted="a project's folder", remedy="go there, or name it with -C"
        )
    return path


def read_stages(root: Path) -> dict[str, Any]:
    """The stages of a project by name.

    Raises:
        UsageError: there is no dvc.yaml.
    """
    stages: dict[str, Any] = yaml.safe_load(stages_file(root).read_text(encoding="utf-8"))["stages"]
    return stages


def declared(root: Path, stage: str, what: str) -> list[Any]:
    """The deps or params of a stage, with the marks that stand for its item."""
    body = read_stages(root)[stage]
    found: list[Any] = body.get("do", body)[what]
    return found


def stage_names(root: Path, params: Params) -> list[str]:
    """DVC's names of all stages and items under these parameters, in the order of dvc.yaml."""
    return [name for stage, body in read_stages(root).items() for name in _items(params, stage, body)]


def _items(params: Params, stage: str, body: dict[str, Any]) -> list[str]:
    if "foreach" not in body:
        return [stage]
    section = body["foreach"].removeprefix("${").removesuffix("}")
    return [f"{stage}@{item}" for item in getattr(params, section)]
