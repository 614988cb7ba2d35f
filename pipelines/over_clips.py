"""The common part of the stages over clips: every clip taken or made, bad ones set aside, all counted."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from components.core.errors import BadDataError
from components.core.parallel import map_items
from components.datasets.clips import Clip
from components.features.chain import ClipChain
from components.video.probe import printable
from pipelines.artifacts import Project

log = logging.getLogger("tailwatch")

ClipWork = Callable[[ClipChain, Clip], tuple[list[dict[str, Any]], bool]]


@dataclass(frozen=True)
class Outcome:
    """What became of one clip.

    Attributes:
        rows: the index rows, empty when the clip was set aside.
        made: whether anything had to be computed.
        reason: why the clip was set aside, or empty.
        remedy: what can be done about that, where it is known.
    """

    clip: Clip
    rows: list[dict[str, Any]]
    made: bool
    reason: str = ""
    remedy: str = ""


def over_clips(project: Project, clips: Sequence[Clip], work: ClipWork, *, verb: str) -> list[Outcome]:
    """Do `work` for every clip over all cores; arguments as for `each_clip`.

    Raises:
        BadDataError: more clips are bad than ingest.max_bad_fraction allows.
    """
    outcomes = each_clip(project, clips, work, verb=verb)
    check_bad_fraction(project, sum(bool(outcome.reason) for outcome in outcomes), len(clips), verb)
    return outcomes


def each_clip(project: Project, clips: Sequence[Clip], work: ClipWork, *, verb: str) -> list[Outcome]:
    """Do `work` for every clip over all cores, however many of them are bad.

    Args:
        work: a module-level function of chain and clip; gives index rows and whether anything was made.
        verb: what is done, as the log counts it: "decoded".
    """
    one = partial(_one, project.chain, work)
    outcomes = list(map_items(one, clips, label=verb, lost=_lost))
    bad = [outcome for outcome in outcomes if outcome.reason]
    for outcome in bad:
        log.warning("%s set aside: %s", outcome.clip.clip_id, outcome.reason)
    for remedy, count in Counter(outcome.remedy for outcome in bad if outcome.remedy).items():
        log.warning("to do for %d of the clips set aside: %s", count, remedy)
    made = sum(outcome.made for outcome in outcomes)
    log.info("%d %s, %d reused, %d set aside", made, verb, len(outcomes) - made - len(bad), len(bad))
    return outcomes


def index_rows(outcome: Outcome) -> list[dict[str, Any]]:
    """A clip's rows of an index, also when it was set aside."""
    if outcome.reason:
        return [{"clip_id": outcome.clip.clip_id, "status": "bad", "reason": outcome.reason}]
    return outcome.rows


def check_bad_fraction(project: Project, bad: int, total: int, verb: str) -> None:
    """Refuse to go on with too many clips set aside.

    Raises:
        BadDataError: more than ingest.max_bad_fraction are bad.
    """
    allowed = project.params.ingest.max_bad_fraction
    if bad > allowed * total:
        raise BadDataError(
            f"{bad} of {total} clips could not be {verb}",
            wanted=f"at most {allowed:.0%} (ingest.max_bad_fraction)",
            remedy="read the reasons above, mend or remove these clips, or raise ingest.max_bad_fraction",
        )


def _lost(clip: Clip, cause: str) -> Outcome:
    """A clip that ended the process that worked on it."""
    return Outcome(clip, [], made=False, reason=f"{printable(clip.clip_id)}: {cause}")


def _one(chain: ClipChain, work: ClipWork, clip: Clip) -> Outcome:
    try:
        rows, made = work(chain, clip)
    except BadDataError as error:
        return Outcome(clip, [], made=False, reason=error.came, remedy=error.remedy)
    return Outcome(clip, rows, made)
