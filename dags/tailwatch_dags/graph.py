"""The graph of stages, from dvc.yaml and params.yaml read as YAML: DVC's names, DVC's edges.

Nothing here names a stage or a model, so that adding one changes nothing here.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from tailwatch_dags.errors import GraphError
from tailwatch_dags.fanout import items
from tailwatch_dags.interpolation import resolve
from tailwatch_dags.resources import Resource, read_resources

_FIELDS = {"desc", "cmd", "deps", "params", "outs", "metrics", "plots", "meta"}
_OUTPUTS = ("outs", "metrics", "plots")


@dataclass(frozen=True)
class Stage:
    """One stage, or one item of one.

    Attributes:
        name: DVC's: "train@fusion".
        before: names of the stages whose outs it reads, in the order of dvc.yaml.
        resource: what it asks of its machine.
        per_clip: whether its clips can be done in parts before it.
        desc, cmd: for people.
        deps, outs: paths.
    """

    name: str
    before: tuple[str, ...]
    resource: Resource
    per_clip: bool
    desc: str
    cmd: str
    deps: tuple[str, ...]
    outs: tuple[str, ...]

    @property
    def word(self) -> str:
        """The stage without its item: "train"."""
        return self.name.partition("@")[0]

    @property
    def item(self) -> str | None:
        """The item: "fusion"; None of a stage that stands for itself."""
        return self.name.partition("@")[2] or None


@dataclass(frozen=True)
class Graph:
    """All stages in the order of dvc.yaml, and the classes of machine."""

    stages: tuple[Stage, ...]
    resources: Mapping[str, Resource]

    def last(self) -> tuple[Stage, ...]:
        """The stages that no other one waits for."""
        awaited = {name for stage in self.stages for name in stage.before}
        return tuple(stage for stage in self.stages if stage.name not in awaited)


def read_graph(root: Path) -> Graph:
    """The graph of a project's folder.

    Raises:
        GraphError: a stage that cannot be scheduled: an unknown form, no resources, a cycle.
        OSError: dvc.yaml or params.yaml is not there.
    """
    return compile_graph(_read(root / "dvc.yaml"), _read(root / "params.yaml"))


def compile_graph(pipeline: Mapping[str, Any], params: Mapping[str, Any]) -> Graph:
    """The graph of dvc.yaml's and params.yaml's content.

    Raises:
        GraphError: as read_graph.
    """
    if "vars" in pipeline:
        raise GraphError("(all)", "dvc.yaml has vars", "values in params.yaml")
    resources = read_resources(params)
    bodies: dict[str, Mapping[str, Any]] = {}
    entries = pipeline.get("stages") or {}
    if not isinstance(entries, Mapping):
        raise GraphError("(all)", f"stages is a {type(entries).__name__}", "a mapping of stages by name")
    for stage, body in entries.items():
        if not isinstance(stage, str):
            raise GraphError(str(stage), f"its name is a {type(stage).__name__}", "a text (in quotes)")
        for name, known, template in items(stage, body, params):
            _refuse_strangers(name, template)
            bodies[name] = {key: resolve(template[key], known, name) for key in template}
    outs = {name: _paths(name, body, *_OUTPUTS) for name, body in bodies.items()}
    makers = _makers(outs)
    stages = tuple(_stage(name, body, outs[name], makers, resources) for name, body in bodies.items())
    _refuse_cycles(stages)
    return Graph(stages, resources)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, as DVC does: the first of the two would not count."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if key.id == "scalar" and (key.tag, key.value) in seen:
                where = f"{Path(key.start_mark.name).name}, line {key.start_mark.line + 1}"
                raise GraphError("(all)", f"{where}: the key {key.value} stands twice", "each key once")
            seen.add((key.tag, str(key.value)))
        return node


def _read(path: Path) -> Mapping[str, Any]:
    with path.open(encoding="utf-8") as file:
        found = _Loader(file).get_single_data()
    if not isinstance(found, Mapping):
        raise GraphError("(all)", f"{path} holds a {type(found).__name__}", "a mapping")
    return found


def _refuse_strangers(name: str, body: Mapping[str, Any]) -> None:
    strange = sorted(map(str, set(body) - _FIELDS))
    if strange:
        raise GraphError(name, f"{', '.join(strange)} is not supported", f"only {', '.join(sorted(_FIELDS))}")


def _stage(
    name: str,
    body: Mapping[str, Any],
    outs: tuple[str, ...],
    makers: Mapping[str, str],
    resources: Mapping[str, Resource],
) -> Stage:
    deps = _paths(name, body, "deps")
    feeding = {
        maker
        for dep in (*deps, *_params_files(name, body))
        for out, maker in makers.items()
        if _overlap(dep, out)
    }
    cmd = body.get("cmd", "")
    return Stage(
        name=name,
        before=tuple(maker for maker in dict.fromkeys(makers.values()) if maker in feeding),
        resource=_resource(name, body, resources),
        per_clip=_per_clip(name, body),
        desc=str(body.get("desc", "")),
        cmd=cmd if isinstance(cmd, str) else " && ".join(map(str, cmd)),
        deps=deps,
        outs=outs,
    )


def _resource(name: str, body: Mapping[str, Any], resources: Mapping[str, Resource]) -> Resource:
    runs_on = _meta(name, body).get("runs_on")
    if not isinstance(runs_on, str) or runs_on not in resources:
        known = ", ".join(resources) or "none yet"
        raise GraphError(
            name, f"meta.runs_on is {runs_on!r}", f"a class under resources in params.yaml ({known})"
        )
    return resources[runs_on]


def _per_clip(name: str, body: Mapping[str, Any]) -> bool:
    value = _meta(name, body).get("per_clip")
    if not isinstance(value, bool):
        raise GraphError(name, f"meta.per_clip is {value!r}", "true or false")
    return value


def _meta(name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = body.get("meta")
    if not isinstance(meta, Mapping):
        raise GraphError(name, "it has no meta", "meta: {runs_on: CLASS, per_clip: true or false}")
    return meta


def _paths(name: str, body: Mapping[str, Any], *fields: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for field in fields:
        entries = body.get(field) or []
        if isinstance(entries, str) or not isinstance(entries, Sequence):
            raise GraphError(name, f"{field} is a {type(entries).__name__}", "a list of paths")
        for entry in entries:
            found.update(dict.fromkeys(_names(name, field, entry)))
    return tuple(found)


def _params_files(name: str, body: Mapping[str, Any]) -> Iterator[str]:
    """The files that a stage's params stand in: params.yaml, or the key of a list of names."""
    entries = body.get("params") or []
    if not isinstance(entries, list):
        raise GraphError(name, f"params is a {type(entries).__name__}", "a list of names")
    for entry in entries:
        yield from _names(name, "params", entry if isinstance(entry, Mapping) else "params.yaml")


def _names(name: str, field: str, entry: Any) -> Iterator[str]:
    """A path stands alone, or as the key of its options."""
    for path in [entry] if isinstance(entry, str) else entry if isinstance(entry, Mapping) else [None]:
        if not isinstance(path, str):
            raise GraphError(name, f"{field} holds {entry!r}", "paths")
        yield path if "://" in path else posixpath.normpath(path)


def _makers(outs: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    makers: dict[str, str] = {}
    for name, paths in outs.items():
        for path in paths:
            if path in makers:
                raise GraphError(name, f"{path} is also made by {makers[path]}", "one maker of each out")
            makers[path] = name
    return makers


def _overlap(dep: str, out: str) -> bool:
    """Whether a dep is an out, lies in one, or is a folder that holds one."""
    return dep == out or dep.startswith(f"{out}/") or out.startswith(f"{dep}/")


def _refuse_cycles(stages: Sequence[Stage]) -> None:
    try:
        TopologicalSorter({stage.name: stage.before for stage in stages}).prepare()
    except CycleError as error:
        circle = error.args[1]
        raise GraphError(circle[0], f"it waits for itself: {' <- '.join(circle)}", "no cycle") from None
