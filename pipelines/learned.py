"""Which models had learned from certain clips, or were judged on them."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from components.tracking.registry import CHALLENGER, CHAMPION, PREVIOUS, ModelRegistry
from components.tracking.traces import RunTraces, trained_by
from pipelines.artifacts import Project
from pipelines.clips_known import KnownClips

if TYPE_CHECKING:
    from mlflow.entities import Run

NOT_KNOWN = "not known: no list of its clips is left"


def learned_from(
    project: Project,
    traces: RunTraces | None,
    runs: "Sequence[Run]",
    known: KnownClips,
    clips: Collection[str],
) -> list[dict[str, Any]]:
    """Bundles in outs/, training runs and registered versions, each with what the clips were to it.

    Returns:
        Rows of `model` (where it is) and `clips`: clip_id to train, val or test, or NOT_KNOWN.
    """
    here = {clip_id: known.sides[clip_id] for clip_id in sorted(clips) if known.sides.get(clip_id)}
    folders = sorted(project.out("train").glob("*/bundle.json")) if here else []
    rows: list[dict[str, Any]] = [
        {"model": str(path.parent.relative_to(project.root)), "clips": here} for path in folders
    ]
    if traces is None:
        return rows
    used = _used_by(traces, runs, clips)
    names = {run.info.run_id: f"run {run.info.run_id} ({run.info.run_name})" for run in runs}
    rows += [{"model": names.get(run_id, run_id), "clips": sides} for run_id, sides in used.items() if sides]
    return [*rows, *_versions(project, traces, used)]


def _used_by(traces: RunTraces, runs: "Sequence[Run]", clips: Collection[str]) -> dict[str, dict[str, str]]:
    """Side of each clip by training run, as the predictions that were filed of it tell; none for no clip."""
    judged = trained_by(runs)
    used: dict[str, dict[str, str]] = {}
    for run in runs:
        if train_ids := judged.get(run.info.run_id):
            sides = _sides(traces, run, clips)
            for train_id in train_ids if sides is not None else ():
                used.setdefault(train_id, {}).update(sides or {})
    return used


def _sides(traces: RunTraces, run: "Run", clips: Collection[str]) -> dict[str, str] | None:
    """Side of each clip in an evaluation; None where it has no predictions any more."""
    table = traces.predictions(run)
    if table is None:
        return None
    return {row["clip_id"]: row["split"] for row in table if row["clip_id"] in clips}


def _versions(project: Project, traces: RunTraces, used: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    registry = ModelRegistry(traces.store, project.params.track.registered_model)
    aliases = {name: registry.alias(name) for name in (CHAMPION, CHALLENGER, PREVIOUS)}
    rows = []
    for version in registry.versions():
        own = [name for name, found in aliases.items() if found and found.number == version.number]
        sides: Any = used.get(version.run_id, NOT_KNOWN)
        if sides:
            under = f" ({', '.join(own)})" if own else ""
            rows.append({"model": f"version {version.number} of {registry.name}{under}", "clips": sides})
    return rows
