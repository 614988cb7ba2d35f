"""warm: one part of a stage's clips, kept in the store for the stage's own run.

Several machines warm the parts side by side; then the stage itself finds everything made. Only clips.csv is
needed, because what a clip's step stands on is taken from the store or made.
"""

from functools import partial

from components.core.errors import UsageError
from components.datasets.clips import Clip
from components.features.chain import ClipChain
from pipelines import extract, featurize, segment
from pipelines.artifacts import Project, read_clips
from pipelines.over_clips import ClipWork, Outcome, each_clip
from pipelines.part import Part

_WORK: dict[str, tuple[ClipWork, str]] = {
    "extract": (extract.extract_clip, "decoded"),
    "segment": (segment.segment_clip, "segmented"),
    "featurize": (featurize.measure, "measured"),
}


def run(project: Project, stage: str, view: str | None, part: Part) -> list[Outcome]:
    """Do a stage's clips of one part; bad clips are told and counted, and the stage's own run judges them.

    Args:
        stage: extract, segment, featurize or reshape.
        view: which view is reshaped; None for the other stages.

    Raises:
        UsageError: no such stage or view.
        StorageError: the store or the data set does not answer.
    """
    work, verb = _work(project, stage, view)
    return each_clip(project, part.of(read_clips(project)), work, verb=verb)


def _work(project: Project, stage: str, view: str | None) -> tuple[ClipWork, str]:
    if stage in _WORK and view is None:
        return _WORK[stage]
    if stage == "reshape" and view in project.params.views:
        return partial(_render, view), "rendered"
    raise UsageError(
        f"{' '.join(filter(None, (stage, view)))} cannot be warmed",
        wanted=f"{', '.join(_WORK)}, or reshape with one of {', '.join(project.params.views)}",
        remedy="correct the stage or the view",
    )


def _render(view: str, chain: ClipChain, clip: Clip) -> tuple[list[dict[str, object]], bool]:
    if chain.settings.views[view].height is None:
        return [], False
    return [], chain.tensors(clip, view).made
