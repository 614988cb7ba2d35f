"""What the report says of models that may have learned nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from components.core.files import read_json
from components.evaluation.summary import sign_of_chance
from components.models.bundle import BUNDLE_FILE
from components.models.registry import definition_of
from pipelines.artifacts import Project


def doubts_section(project: Project, comparison: Mapping[str, Any]) -> list[dict[str, str]]:
    """Every sign, with its model, in the order of the comparison."""
    return [
        {"model": model["model"], "sign": sign}
        for model in comparison["models"]
        for sign in _signs(project, model)
    ]


def _signs(project: Project, model: Mapping[str, Any]) -> Iterator[str]:
    """Of a classifier what training said; of a scorer of anomalies how well it ranks test clips."""
    if definition_of(model["model"]).kind == "anomaly":
        sign = sign_of_chance(model["splits"]["test"]["clips"])
        yield from [sign] if sign else []
        return
    bundle = project.out("train", model["model"], BUNDLE_FILE)
    if bundle.is_file():
        yield from read_json(bundle).get("training", {}).get("warnings", ())
