"""dvc.yaml read as YAML: which stages there are, and what they name."""

from pathlib import Path
from typing import Any

import yaml

from pipelines.params import Params

STAGES_FILE = "dvc.yaml"


def read_stages(root: Path) -> dict[str, Any]:
    """The stages of a project by name; none where there is no dvc.yaml."""
    path = root / STAGES_FILE
    return yaml.safe_load(path.read_text(encoding="utf-8"))["stages"] if path.is_file() else {}


def declared(root: Path, stage: str, what: str) -> list[Any]:
    """The deps or params of a stage, with the marks that stand for its item."""
    body = read_stages(root).get(stage, {})
    found: list[Any] = body.get("do", body).get(what, [])
    return found


def stage_names(root: Path, params: Params) -> list[str]:
    """DVC's names of all stages and items under these parameters, in the order of dvc.yaml."""
    return [name for stage, body in read_stages(root).items() for name in _items(params, stage, body)]


def _items(params: Params, stage: str, body: dict[str, Any]) -> list[str]:
    if "foreach" not in body:
        return [stage]
    section = body["foreach"].removeprefix("${").removesuffix("}")
    return [f"{stage}@{item}" for item in getattr(params, section)]
