"""All that it takes to make a registered version again, written into its tags and read from them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from components.core.errors import UsageError
from components.core.files import canonical_json
from components.tracking.registry import Version
from pipelines.artifacts import Project
from pipelines.params import PARAMS_FILE
from pipelines.provenance import CODE, Provenance, uncommitted

_PREFIX = "tailwatch.recipe."
_ENVIRONMENT = "tailwatch.environment."
_PARTS = ("params", "stages", "code", "outs", "dataset", "dataset_root", "uncommitted")


@dataclass(frozen=True)
class Recipe:
    """What made a version.

    Attributes:
        commit: git's; empty for a project outside a repository.
        uncommitted: files of code that were another than in the commit.
        params: the text of a params.yaml that has every value the stages ran with.
        stages: those that lead to the evaluated model, in the order in which they run.
        code: DVC's digests of the code that they stand on, by path.
        outs: DVC's digests of what they gave, by path.
        dataset: DVC's digest of the data set.
        dataset_root: where it lay: an absolute path, or an address with a scheme.
        environment: what equal bytes depend on beside these.
    """

    commit: str
    uncommitted: tuple[str, ...]
    params: str
    stages: tuple[str, ...]
    code: Mapping[str, str]
    outs: Mapping[str, str]
    dataset: str
    dataset_root: str
    environment: Mapping[str, str]

    @property
    def folder(self) -> str:
        """The data set's folder as params.yaml names it."""
        root: str = yaml.safe_load(self.params)["dataset"]["root"]
        return root


def recipe_tags(project: Project, model_id: str, state: Provenance) -> dict[str, str]:
    """The tags from which `read_recipe` reads; commit and environment are tags of their own."""
    stages = leading_to(state, model_id)
    locks = [state.stages[name] for name in stages]
    deps = {path: md5 for lock in locks for path, md5 in lock.deps.items()}
    parts = {
        "params": _params(project, [lock.params for lock in locks]),
        "stages": json.dumps(stages),
        "code": canonical_json({path: md5 for path, md5 in deps.items() if path.startswith(CODE)}),
        "outs": canonical_json({path: md5 for lock in locks for path, md5 in lock.outs.items()}),
        "dataset": state.data_tags().get("tailwatch.data.dataset", ""),
        "dataset_root": project.dataset_root,
        "uncommitted": json.dumps(uncommitted(project.root)),
    }
    return {f"{_PREFIX}{name}": text for name, text in parts.items()}


def read_recipe(version: Version) -> Recipe:
    """What a version's tags say.

    Raises:
        UsageError: they do not say all of it.
    """
    tags = version.tags
    missing = [name for name in _PARTS if f"{_PREFIX}{name}" not in tags]
    if missing:
        raise UsageError(
            f"Version {version.number} has no tag {_PREFIX}{missing[0]}",
            wanted="a version that was registered with the recipe of its making",
            remedy="train the model again and register that one: `dvc repro`, `tailwatch promote`",
        )
    said = {name: tags[f"{_PREFIX}{name}"] for name in _PARTS}
    return Recipe(
        commit=tags.get("tailwatch.git_commit", ""),
        uncommitted=tuple(json.loads(said["uncommitted"])),
        params=said["params"],
        stages=tuple(json.loads(said["stages"])),
        code=json.loads(said["code"]),
        outs=json.loads(said["outs"]),
        dataset=said["dataset"],
        dataset_root=said["dataset_root"],
        environment={
            name.removeprefix(_ENVIRONMENT): value
            for name, value in tags.items()
            if name.startswith(_ENVIRONMENT)
        },
    )


def leading_to(state: Provenance, model_id: str) -> list[str]:
    """The stages from which a model's training and evaluation follow, and these two, in order."""
    makers = {path: name for name, lock in state.stages.items() for path in lock.outs}
    ordered: dict[str, None] = {}

    def walk(name: str) -> None:
        for dep in state.stages[name].deps:
            if dep in makers:
                walk(makers[dep])
        ordered[name] = None

    for name in (f"train@{model_id}", f"evaluate@{model_id}"):
        if name in state.stages:
            walk(name)
    return list(ordered)


def _params(project: Project, ran_with: list[Mapping[str, Any]]) -> str:
    """params.yaml with the values that the stages ran with, which it need not have any more."""
    values = yaml.safe_load((project.root / PARAMS_FILE).read_text(encoding="utf-8"))
    for params in ran_with:
        for name, value in params.items():
            _put(values, name, value)
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    *sections, last = name.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[last] = value


def differing(wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    """Names whose values are not the same, in order."""
    yield from (name for name in sorted(wanted) if found.get(name) != wanted[name])
