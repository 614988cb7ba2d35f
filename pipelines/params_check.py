"""What one section of params.yaml alone cannot know: that names meet, and that a model fits its view."""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml

from components.core.errors import UsageError
from components.core.settings import check_range
from components.datasets.registry import check_options
from components.evaluation.reference import paper_rows
from components.features.activation_layout import RATE
from components.features.clip_length import LEAST_FRAMES
from components.features.views import View
from components.models.base import ClosedForm
from components.models.registry import definition_of, model_settings
from components.training.settings import OF_EVERY_FIT, settings_for

if TYPE_CHECKING:
    from pipelines.params import DatasetParams, Params, Resource

_OF_EVERY_MODEL = ("view", "runs_on", "train")
LEAST = {"cpu": 1, "gpu": 0, "minutes": 1, "retries": 0, "parts": 1}
_MEMORY = r"[1-9][0-9]*(Mi|Gi|Ti|M|G|T)"  # of bytes, as Kubernetes writes it


def check_params(params: "Params") -> "Params":
    """Check the sections against each other; the same settings.

    Raises:
        UsageError: a name that is used but not there, or there but not used.
    """
    _check_data_set(params.dataset)
    _check_lines(params)
    _check_models(params)
    _check_names(
        "views", params.views, {str(settings["view"]) for settings in params.models.values()}, "enabled model"
    )
    _check_names(
        "samplings", params.samplings, set(params.chain.frame_samplings()), "view, segmenter or featurize"
    )
    _check_activations(params)
    check_resources(params.resources)
    unknown = {params.model(name).runs_on for name in params.models} - set(params.resources)
    if unknown:
        raise UsageError(
            f"runs_on: {sorted(unknown)[0]} is not known",
            wanted=f"one of {', '.join(params.resources)}",
            remedy="correct the model's runs_on, or add the class under resources",
        )
    return params


def check_resources(classes: Mapping[str, "Resource"]) -> None:
    """Check what a class of machine asks as dags/ does, which reads the same lines and stands alone.

    Raises:
        UsageError: too little, or no pool, or memory in other words.
    """
    for name, asked in classes.items():
        for key, low in LEAST.items():
            check_range(f"resources.{name}.{key}", getattr(asked, key), low)
        if not asked.pool or not re.fullmatch(_MEMORY, asked.memory):
            raise UsageError(
                f"resources.{name} has pool {asked.pool!r} and memory {asked.memory!r}",
                wanted="the name of a pool, and an amount like 8Gi",
                remedy="correct the value in params.yaml",
            )


def _check_lines(params: "Params") -> None:
    """Check that every model's line says what dvc.yaml takes from it."""
    names: dict[str, Mapping[str, Any]] = {"view": params.views, "runs_on": params.resources}
    first = {name: next(iter(known), "...") for name, known in names.items()}
    for model_id, settings in params.models.items():
        for name in [name for name in names if name not in settings]:
            line = yaml.safe_dump(first | settings, default_flow_style=True, sort_keys=False, width=math.inf)
            raise UsageError(
                f"models.{model_id} names no {name}",
                wanted=f"{name}: one of {', '.join(names[name])}",
                remedy=f"write `{model_id}: {line.strip()}` under models in params.yaml",
            )


def _check_activations(params: "Params") -> None:
    """Check that views of activations say nothing that these do not follow."""
    for name, view in params.views.items():
        sampling = params.samplings[view.sampling]
        tenths = sampling.kind == "dense" and sampling.per_second == RATE
        enough = sampling.frames is None or sampling.frames >= LEAST_FRAMES
        if view.activations and not (tenths and enough and view.background == "keep" and not view.difference):
            raise UsageError(
                f"views.{name} has activations, background {view.background} and sampling {view.sampling}",
                wanted=f"background: keep, no difference, and a dense sampling of {RATE:g} per second, of "
                f"{LEAST_FRAMES} frames or more",
                remedy="correct the view or its sampling in params.yaml",
            )


def _check_data_set(dataset: "DatasetParams") -> None:
    if len(dataset.classes) < 2 or len(set(dataset.classes)) < len(dataset.classes):
        raise UsageError(
            f"dataset.classes is {list(dataset.classes)}",
            wanted="two classes or more, each once",
            remedy="correct their names",
        )
    for name, label in dataset.label_map.items():
        if label not in dataset.classes:
            raise UsageError(
                f"dataset.label_map.{name} is {label}",
                wanted=f"one of dataset.classes: {', '.join(dataset.classes)}",
                remedy="correct the label, or leave the line out, which leaves that class's clips out",
            )
    check_options(dataset.adapter, dataset.options)


def _check_models(params: "Params") -> None:
    """Check every model's own settings now, not when its turn to train has come."""
    for model_id, values in params.models.items():
        own = {name: value for name, value in values.items() if name not in _OF_EVERY_MODEL}
        settings = model_settings(model_id, own)
        _check_sides(model_id, settings, str(values["view"]), params.views)
        _check_frames(model_id, settings, str(values["view"]), params)
        definition_of(model_id).check_classes(model_id, params.dataset.classes)
        if view := params.views.get(str(values["view"])):
            definition_of(model_id).check_view(str(values["view"]), view)
        settings_for(model_id, params.train, values.get("train"))
        _check_steps(model_id, values.get("train") or {})
    for name in params.compare.baselines:
        definition_of(name)
    paper_rows(params.compare.paper_rows)


def _check_steps(model_id: str, own: Mapping[str, Any]) -> None:
    """Check that nothing is said of the steps of a model that takes none."""
    idle = [name for name in own if name not in OF_EVERY_FIT]
    if idle and isinstance(definition_of(model_id), ClosedForm):
        raise UsageError(
            f"models.{model_id}.train.{idle[0]}, and {model_id} is fitted at once, in closed form",
            wanted=f"of train's settings only {', '.join(OF_EVERY_FIT)}",
            remedy=f"remove {idle[0]}, which would change nothing",
        )


def _check_sides(model_id: str, settings: Any, name: str, views: Mapping[str, View]) -> None:
    """Check that frames are as large as the model's backbone wants them."""
    least = getattr(settings, "min_side", 0)
    view = views.get(name)
    if view and view.height and view.width and min(view.height, view.width) < least:
        raise UsageError(
            f"views.{name} has frames of {view.height} x {view.width} pixels, for models.{model_id}",
            wanted=f"{least} pixels or more a side, with these settings of the model",
            remedy="give the model a larger view, or another backbone, in params.yaml",
        )


def _check_frames(model_id: str, settings: Any, name: str, params: "Params") -> None:
    """Check that a view has as many frames as the model needs to give every answer."""
    least, view = getattr(settings, "least_frames", 1), params.views.get(name)
    sampling = params.samplings.get(view.sampling) if view else None
    most = sampling.frames if sampling else None  # of any number, each clip has its own
    if most is not None and most < least:
        raise UsageError(
            f"views.{name} has {most} frames, of which models.{model_id} wants {least}",
            wanted="as many frames as its rule counts, or the rule can never sound",
            remedy=f"lower min_count of models.{model_id}, or give it a view of more frames, in params.yaml",
        )


def _check_names(section: str, present: Mapping[str, Any], used: set[str], user: str) -> None:
    missing = sorted(used - set(present))
    if missing:
        raise UsageError(
            f"{section}.{missing[0]} is asked for but not there", wanted="its settings", remedy="add it"
        )
    idle = sorted(set(present) - used)
    if idle:
        raise UsageError(
            f"{section}.{idle[0]} is used by no {user}",
            wanted="only what is used, because every entry is computed",
            remedy=f"remove {section}.{idle[0]} from params.yaml, or use it",
        )
