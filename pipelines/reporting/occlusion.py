"""What the report says of where a model looks: what hiding a part of a clip's frames does to its answer."""

from functools import partial
from typing import Any

import numpy as np
from markupsafe import Markup

from components.core.errors import ResourceError, TailwatchError
from components.evaluation.confidence import surest_right, surest_wrong
from components.evaluation.predictions import ClipPredictions
from components.serving.occlusion import Occlusion, heat_overlay, occlude, questions, sureness
from pipelines.artifacts import Project
from pipelines.reporting.explained import BUDGET, Explained, Models, attempt
from pipelines.reporting.gallery import clip_row
from pipelines.reporting.pictures import save_middle_frame

FULL_HEAT = 0.1  # log odds, from which on a drop may have the full colour: 2.5 % about an even chance
GRIDS = (8, 4)  # cells along a side, the finest that can be afforded: patches of a quarter, of a half


def occlusion_section(models: Models) -> dict[str, Any] | None:
    """The section's contents, its pictures drawn; None where no model looks at frames."""
    model_id = models.best_with("frames")
    if model_id is None:
        return None
    found = attempt(model_id, lambda: _explained(models.project, models.open(model_id)))
    return found | {"challenger": model_id == models.comparison["challenger"]}


def wanted_clips(clips: ClipPredictions, threshold: float) -> dict[str, int]:
    """Places of the surest right clip, of two classes of the second, and of the surest wrong one."""
    label = 1 if len(clips.classes) == 2 else None
    right, wrong = surest_right(clips, threshold, label), surest_wrong(clips, threshold, 1)
    return {name: int(places[0]) for name, places in (("right", right), ("wrong", wrong)) if len(places)}


def occlusion_of(model: Explained, row: int, place: int, cells: int) -> Occlusion:
    """What hiding does to a clip's answer.

    Args:
        row: the clip's place in the tensors.
        place: index of the answer's class.
    """
    tensors, streams = model.tensors, model.bundle.definition.streams
    others = {
        name: getattr(tensors, name)[row] for name in ("numbers", "activations") if name in streams
    }  # they stay as they are

    def ask(frames: np.ndarray) -> np.ndarray:
        beside = {name: np.repeat(array[None], len(frames), axis=0) for name, array in others.items()}
        said = model.bundle.predict(frames, beside.get("numbers"), activations=beside.get("activations"))
        return sureness(said, place)

    if tensors.frames is None:
        raise TypeError("a model of frames without frames")
    return occlude(np.asarray(tensors.frames[row]), ask, cells)


def _explained(project: Project, model: Explained) -> dict[str, Any]:
    test = model.clips.of_split("test")
    places = wanted_clips(test, model.threshold)
    cells = _affordable_cells(model, max(1, len(places)))
    draw = partial(_entry, project, model, test, cells=cells)
    return {"clips": [draw(kind, place) for kind, place in places.items()], "share": 2 / cells}


def _affordable_cells(model: Explained, clips: int) -> int:
    """Cells along a side.

    Raises:
        ResourceError: even the coarsest map asks too much.
    """
    for cells in GRIDS:
        if clips * questions(cells) <= model.affordable:
            return cells
    wanted = clips * questions(GRIDS[-1])
    raise ResourceError(
        f"a map needs {wanted} answers, and {model.affordable} are within {BUDGET:.0e} multiply-adds",
        wanted="a model that answers faster",
        remedy="give it a view of fewer or smaller frames",
    )


def _entry(
    project: Project, model: Explained, clips: ClipPredictions, kind: str, place: int, *, cells: int
) -> dict[str, Any]:
    row = clip_row(clips, place, model.threshold)
    of_tensors = int(model.rows(clips.where(np.array([place])))[0])
    found = occlusion_of(model, of_tensors, int(clips.predicted[place]), cells)
    entry = row | {"kind": kind, "whole": found.whole, "most": float(found.drops.max())}
    try:
        path, (width, height) = save_middle_frame(project, row["clip_id"])
    except TailwatchError as error:
        return entry | {"picture": "", "why_no_picture": error.came}
    least = FULL_HEAT if clips.scores is None else 0.0
    heat = Markup(heat_overlay(found.drops, width, height, least))  # noqa: S704
    return entry | {"picture": path, "heat": heat}
