"""What forget found and did, as a person reads it."""

from collections.abc import Iterator, Mapping
from typing import Any


def before(found: Mapping[str, Any]) -> str:
    """What would be removed."""
    head = f"{len(found['clips'])} clips: {_listed(found['clips'])}"
    lines = list(_places(found))
    return "\n".join([head, *(lines or ["nothing of them is left here"]), *_models(found)])


def after(report: Mapping[str, Any]) -> str:
    """What was removed, and what is left to do."""
    lines = [f"Forgotten, {len(report['clips'])} clips: {_listed(report['clips'])}", *_places(report)]
    lines += _models(report)
    lines += ["out of reach:", *(f"  {place}" for place in report["out_of_reach"])]
    if report["left"]:
        lines += [
            "STILL NAMED in these files, remove them yourself:",
            *(f"  {name}" for name in report["left"]),
        ]
    return "\n".join([*lines, "To do: `dvc repro`, which makes everything again without them."])


def _places(found: Mapping[str, Any]) -> Iterator[str]:
    for kind, paths in found["paths"].items():
        if paths:
            yield f"  {kind}: {len(paths)}"
            yield from (f"    {path}" for path in paths if kind == "outs")
    for file, n in found["scores"].items():
        yield f"  lines of {file}: {n}"
    if found["store"]:
        yield f"  objects in the store: {len(found['store'])}"
    for trace in found["runs"]:
        yield f"  MLflow, run {trace['run_id']} ({trace['run']}): {trace['action']} {trace['what']}"


def _models(found: Mapping[str, Any]) -> Iterator[str]:
    if found["learned"]:
        yield "these had learned from them, or were judged on them; retrain or retire them:"
    for one in found["learned"]:
        clips = one["clips"]
        sides = (
            clips
            if isinstance(clips, str)
            else ", ".join(f"{name} in {side}" for name, side in clips.items())
        )
        yield f"  {one['model']}: {sides}"


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(ascii(name)[1:-1] for name in names)
