"""promote, rollback, history: who is champion, by the written gate.

The registry changes, no file does: these are commands and Airflow tasks, not DVC stages.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from components.core.errors import UsageError
from components.core.files import read_json
from components.core.scratch import scratch_folder
from components.core.settings import to_dict
from components.evaluation.gate import Decision
from components.models.bundle import BUNDLE_FILE, read_bundle
from components.serving.package import package
from components.tracking import champion as places
from components.tracking.claims import PromotionConflictError
from components.tracking.registry import CHALLENGER, ModelRegistry, Version
from components.tracking.store import open_store
from pipelines import track
from pipelines.artifacts import Project
from pipelines.drift import PROFILE, profile_tags
from pipelines.provenance import Provenance, read_provenance
from pipelines.question import (
    AGAINST,
    VERDICT,
    Question,
    ask,
    failed_rules,
    file_evidence,
    in_short,
    read_challenger,
)
from pipelines.recipe import recipe_tags
from pipelines.records import origins, stage_lock

log = logging.getLogger("tailwatch")

ATTEMPTS = 3
LOCK = "requirements.lock"


def promote(project: Project, model_id: str | None = None, approved_by: str | None = None) -> dict[str, Any]:
    """Ask the gate for the champion's place; on PROMOTE, or on a HOLD that a person approves, take it.

    Args:
        model_id: the challenger; by default the one that compare names.
        approved_by: who answers for a HOLD.

    Returns:
        The verdict with its reasons and what was done, as plain JSON values.

    Raises:
        UsageError: a REJECT is approved, or there is no challenger.
        PromotionConflictError: the champion changed again and again, or under an approval.
        StorageError: MLflow does not answer; the champion is then the old or the new one.
    """
    if approved_by is not None:
        _check_said("--approve", approved_by)
    more = ATTEMPTS - 1 if approved_by is None else 0  # an approval is of one comparison, not of the next
    while True:
        try:
            return _promote_once(project, model_id, approved_by)
        except PromotionConflictError:
            if not more:
                raise
            more -= 1
            log.warning("The champion changed meanwhile: the gate is asked again")


def rollback(project: Project, to: int | None, by: str, why: str) -> str:
    """Put an earlier champion back; what was done, in words.

    Raises:
        UsageError: nobody is named, or no reason.
    """
    _check_said("--by", by)
    _check_said("--why", why)
    move = places.rollback(_registry(project), by=by, reason=why, to=to)
    return (
        f"Version {move.version} is champion again in place of {move.replaced} (move {move.number}, by {by})"
    )


def _check_said(option: str, text: str) -> None:
    """Refuse an answer that names nobody, such as an unset shell variable gives."""
    if not text.strip():
        raise UsageError(
            f"{option} is empty", wanted="a person's name, or a reason", remedy=f"say it after {option}"
        )


def history(project: Project) -> list[dict[str, Any]]:
    """The moves that led to the present champion, newest first."""
    return [
        {
            "move": move.number,
            **{name: value for name, value in asdict(move).items() if name not in ("number", "base")},
        }
        for move in places.history(_registry(project))
    ]


def describe_verdict(result: Mapping[str, Any]) -> str:
    """The verdict as a person reads it."""
    against = f"version {result['champion']}" if result["champion"] else "no champion"
    lines = [f"{result['decision']}: {result['model']} (version {result['version']}) against {against}"]
    lines += [
        f"  {reason['rule']:<22} {reason['outcome']:<7} {reason['measured']} (wanted: {reason['wanted']})"
        for reason in result["reasons"]
    ]
    if result["smallest_detectable"] is not None:
        seen = f"{result['smallest_detectable']:.3f}"
        lines.append(f"  smallest difference in accuracy that could have been seen: {seen}")
    return "\n".join([*lines, result["next"]])


def _promote_once(project: Project, model_id: str | None, approved_by: str | None) -> dict[str, Any]:
    state = read_provenance(project.root)
    runs = {run.name: run.run_id for run in track.run(project).children}
    challenger = read_challenger(project, model_id)
    registry = _registry(project)
    version = _register(project, registry, challenger.model, state, runs[f"train@{challenger.model}"])
    question = ask(project, registry, challenger, version, state)
    decision = question.verdict.decision
    if approved_by is not None and decision is Decision.REJECT:
        raise UsageError(
            f"The gate rejects {challenger.model}: {failed_rules(question.verdict)}",
            wanted="a HOLD, which a person may approve",
            remedy="train a better model, or change the gate in params.yaml",
        )
    if approved_by is not None and _is_same(question.champion, version):
        return _result(question, approved_by, promoted=True)  # asked again by who did not hear the answer
    approval = approved_by if decision is Decision.HOLD else None
    if approval is not None:
        _check_meant(question)
    tags = file_evidence(project, question, approval)
    if decision is Decision.PROMOTE or approval is not None:
        by, why = "gate" if approval is None else approval, in_short(question.verdict)
        places.promote(registry, question.champion, version, by=by, reason=why, tags=tags)
        return _result(question, approval, promoted=True)
    if not _is_same(question.champion, version):
        registry.note(version.number, tags)
    if decision is Decision.REJECT:
        registry.set_alias(CHALLENGER, None)
    return _result(question, approval, promoted=False)


def _check_meant(question: Question) -> None:
    """Refuse an approval of a HOLD against another champion: nobody has seen this comparison."""
    version = question.challenger
    now = str(question.champion.number) if question.champion else ""
    then = version.tags.get(AGAINST, now)
    if version.tags.get(VERDICT) == Decision.HOLD and then != now:
        raise UsageError(
            f"Version {version.number} was held against {_named(then)}, and {_named(now)} is champion now",
            wanted="an approval of the present comparison",
            remedy="run `tailwatch promote` without an approval, look at what it says, then approve",
        )


def _named(number: str) -> str:
    return f"version {number}" if number else "no version"


def _register(
    project: Project, registry: ModelRegistry, model_id: str, state: Provenance, run_id: str
) -> Version:
    bundle = project.out("train", model_id)
    lock = stage_lock(state, f"train@{model_id}")
    tags = {
        "tailwatch.model_id": model_id,
        "tailwatch.code": lock.code(),
        "tailwatch.params": json.dumps(dict(lock.params), sort_keys=True),
        "tailwatch.requirements": lock.deps.get(LOCK, ""),
        **state.tags(),
        **state.data_tags(),
        **origins(read_json(bundle / BUNDLE_FILE)),
        **recipe_tags(project, model_id, state),
    }
    with scratch_folder() as folder:
        version = registry.register(
            read_bundle(bundle).digest,
            lambda: package(bundle, project.root / LOCK, folder),
            project.params.track.experiment,
            tags,
            run_id,
        )
    if PROFILE not in version.tags:
        registry.note(version.number, profile_tags(project, model_id))
    champion = registry.champion()
    if not _is_same(champion, version):
        registry.set_alias(CHALLENGER, version.number)
    return version


def _result(question: Question, approved_by: str | None, *, promoted: bool) -> dict[str, Any]:
    verdict, champion = question.verdict, question.champion
    return {
        "decision": str(verdict.decision),
        "promoted": promoted,
        "approved_by": approved_by,
        "model": verdict.model,
        "version": question.challenger.number,
        "champion": champion and champion.number,
        "reasons": [to_dict(reason) for reason in verdict.reasons],
        "smallest_detectable": verdict.smallest_detectable,
        "next": _next(question, promoted),
    }


def _next(question: Question, promoted: bool) -> str:
    version, champion = question.challenger, question.champion
    if promoted:
        return (
            f"Version {version.number} is champion. To take it back: tailwatch rollback --by NAME --why WHY"
        )
    if _is_same(champion, version):
        return f"Version {version.number} is the champion already."
    if question.verdict.decision is Decision.HOLD:
        return f"Not promoted. To answer for it: tailwatch promote --model {version.model_id} --approve NAME"
    return "Not promoted, and no approval can change that: train a better model."


def _is_same(champion: Version | None, version: Version) -> bool:
    return champion is not None and champion.number == version.number


def _registry(project: Project) -> ModelRegistry:
    return ModelRegistry(open_store(project.root), project.params.track.registered_model)
