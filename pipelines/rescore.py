"""A bundle judged anew on clips of the present data, through the bundle's own view and chain."""

import logging
from collections.abc import Sequence
from functools import partial

import numpy as np

from components.core.errors import BadDataError
from components.core.parallel import map_items
from components.datasets.clips import Clip
from components.evaluation.evidence import Evaluated
from components.evaluation.predictions import digest_of_test_set
from components.evaluation.scoring import Tensors, score
from components.features.chain import ClipChain
from components.models.bundle import Bundle
from components.serving.clip_input import VIEW, ModelInput, bundle_chain, model_input
from pipelines.artifacts import ClipLocator, Project, read_clips, read_labels
from pipelines.evaluate import clip_contents, read_tensors

log = logging.getLogger("tailwatch")


def rescore(project: Project, bundle: Bundle, name: str, clip_ids: Sequence[str]) -> Evaluated:
    """What a bundle says of these clips; `summary` holds their digest alone.

    Args:
        name: of the model, for messages.
        clip_ids: the frozen test set.

    Raises:
        BadDataError: the bundle knows other classes, or no clip can be used.
    """
    clips = [clip for clip in read_clips(project) if clip.clip_id in set(clip_ids)]
    labels = read_labels(project)
    scored = score(
        bundle, _tensors(project, bundle, clips), {clip.clip_id: labels[clip.clip_id] for clip in clips}
    )
    test_digest = digest_of_test_set(scored.clips, clip_contents(project))
    return Evaluated(name, {"test_digest": test_digest}, scored.clips)


def _tensors(project: Project, bundle: Bundle, clips: Sequence[Clip]) -> Tensors:
    """The clips as the bundle's model takes them: from reshape where that is the same, else made anew."""
    locator = ClipLocator(project.dataset_root, project.state("clips"))
    chain = ClipChain(project.store, bundle_chain(bundle.info), locator)
    view = _same_view(project, chain, clips[0]) if clips else None
    if view is not None:
        return read_tensors(project, view)
    log.info("%d clips are prepared in the way of %s", len(clips), bundle.info.model_id)
    made = list(map_items(partial(_input, chain, bundle.definition.streams), clips, label="prepared"))
    return _stacked([(clip.clip_id, one) for clip, one in zip(clips, made, strict=True) if one is not None])


def _same_view(project: Project, chain: ClipChain, clip: Clip) -> str | None:
    """The present view whose tensors are the bundle's own, if any: their keys are digests of all causes."""
    wanted = chain.settings.views[VIEW]
    for name, view in project.params.views.items():
        kinds = [(one.numbers, one.height, one.activations) for one in (view, wanted)]
        same_kind = kinds[0] == kinds[1]
        if same_kind and _keys(project.chain, clip, name) == _keys(chain, clip, VIEW):
            return name
    return None


def _keys(chain: ClipChain, clip: Clip, name: str) -> tuple[str | None, ...]:
    view = chain.settings.views[name]
    return (
        None if view.height is None else chain.keys.tensors(clip, name),
        chain.keys.measurements(clip) if view.numbers else None,
        chain.keys.activations(clip, name) if view.activations else None,
    )


def _input(chain: ClipChain, streams: Sequence[str], clip: Clip) -> ModelInput | None:
    """None for a clip that this chain cannot use: the test set is then another one, which the gate sees."""
    try:
        return model_input(chain, clip, streams)
    except BadDataError as error:
        log.warning("%s cannot be used: %s", clip.clip_id, error.came)
        return None


def _stacked(made: Sequence[tuple[str, ModelInput]]) -> Tensors:
    parts = [[one.frames, one.numbers, one.measured, one.activations] for _, one in made]
    arrays = (
        None if not made or column[0] is None else np.stack(column) for column in zip(*parts, strict=True)
    )
    return Tensors([clip_id for clip_id, _ in made], *(arrays if made else (None, None, None, None)))
