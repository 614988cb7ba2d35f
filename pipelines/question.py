"""What promote asks the gate, and how question and answer are kept."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from components.core.errors import BadDataError, UsageError
from components.core.scratch import scratch_folder
from components.core.settings import to_dict
from components.evaluation.evidence import Evaluated, gather_evidence
from components.evaluation.gate import Champion, Evidence, Verdict, judge
from components.evaluation.predictions import ClipPredictions
from components.models.bundle import read_bundle
from components.serving.download import bundle_in
from components.tracking.champion import history
from components.tracking.records import RunRecord, run_key
from components.tracking.registry import ModelRegistry, Version
from pipelines import track
from pipelines.artifacts import Project, read_out
from pipelines.cards.cards import card_tags, cards
from pipelines.compare import read_evaluated
from pipelines.provenance import Provenance
from pipelines.rescore import rescore

log = logging.getLogger("tailwatch")

VERDICT = "tailwatch.verdict"
AGAINST = "tailwatch.against"  # the champion's version when the gate was asked; empty for none
SAME_PROBABILITY = 1e-4  # another processor rounds otherwise


@dataclass(frozen=True)
class Question:
    """One asking for the champion's place.

    Attributes:
        champion: who holds it; None for nobody.
        evidence: all that the gate looked at, and its answer, as plain JSON values.
    """

    challenger: Version
    champion: Version | None
    verdict: Verdict
    evidence: Mapping[str, Any]


def read_challenger(project: Project, model_id: str | None) -> Evaluated:
    """The model that asks, its evaluation checked against its bundle.

    Raises:
        UsageError: compare names none.
        BadDataError: the evaluation is of another bundle.
    """
    chosen = model_id or read_out(project, "compare", "comparison.json")["challenger"]
    if chosen is None:
        raise UsageError(
            "compare names no challenger", wanted="an enabled model that is no baseline", remedy="enable one"
        )
    project.params.model(chosen)
    evaluated = read_evaluated(project, chosen)
    test = evaluated.predictions.of_split("test").by_clip()
    if not len(test.labels):
        raise BadDataError(
            f"{chosen} was judged on no test clip",
            wanted="test clips",
            remedy="see split.fractions in params.yaml",
        )
    again = rescore(project, read_bundle(project.out("train", chosen)), chosen, list(test.clip_ids))
    if not _same(again.predictions.by_clip(), test):
        raise BadDataError(
            f"The evaluation of {chosen} is not of the bundle in {project.out('train', chosen)}",
            wanted="an evaluation of this bundle",
            remedy="run `dvc repro`",
        )
    return evaluated


def ask(
    project: Project, registry: ModelRegistry, challenger: Evaluated, version: Version, state: Provenance
) -> Question:
    """Put the question to the gate.

    Args:
        challenger: its evaluation, whose test clips are the frozen test set.
        version: as which it is registered.
    """
    champion = registry.champion()
    evidence = replace(
        _evidence(project, registry, champion, challenger), rolled_back=_rolled_back(registry, version)
    )
    verdict = judge(evidence, project.params.gate)
    written = {
        "challenger": {"model": challenger.model, "version": version.number, "bundle": version.bundle},
        "champion": champion
        and {"model": champion.model_id, "version": champion.number, "bundle": champion.bundle},
        "move_before": champion.promotion if champion else 0,
        "gate": to_dict(project.params.gate),
        "metrics": dict(evidence.metrics),
        "test_set": evidence.test_digest,
        "verdict": to_dict(verdict),
        "provenance": {**state.tags(), **state.data_tags()},
    }
    return Question(version, champion, verdict, written)


def file_evidence(project: Project, question: Question, approved_by: str | None) -> dict[str, str]:
    """Write the evidence as a run of its own; the tags by which a version points at it."""
    verdict = question.verdict
    evidence = {**question.evidence, "approved_by": approved_by}
    name = f"promote@{verdict.model}"
    champion = question.champion and question.champion.number
    told = {**to_dict(verdict), "champion": champion, "approved_by": approved_by}
    tags = {
        VERDICT: str(verdict.decision),
        "tailwatch.reasons": in_short(verdict),
        "tailwatch.approved_by": approved_by or "",
        AGAINST: str(champion or ""),
        "tailwatch.test_set": str(question.evidence["test_set"]),
    }
    record = RunRecord(
        name,
        run_key(name, evidence),
        params={"gate": question.evidence["gate"]},
        tags=tags,
        origin=question.evidence["provenance"],
        artifacts={
            "evidence.json": json.dumps(evidence, indent=1, sort_keys=True).encode(),
            **cards(project, verdict.model, told),
        },
    )
    run = track.open_book(project).file(record)
    return {**tags, "tailwatch.evidence": f"runs:/{run.run_id}/evidence.json", **card_tags(run.run_id)}


def in_short(verdict: Verdict) -> str:
    """The rules that failed, or that all passed."""
    return failed_rules(verdict) or f"all {len(verdict.reasons)} rules passed"


def failed_rules(verdict: Verdict) -> str:
    """The rules that did not pass, with what was measured."""
    return "; ".join(
        f"{reason.rule}: {reason.measured}" for reason in verdict.reasons if reason.outcome != "passed"
    )


def _evidence(
    project: Project, registry: ModelRegistry, champion: Version | None, challenger: Evaluated
) -> Evidence:
    """What the gate looks at; a champion that cannot be scored on this test set is a reason to hold."""
    baselines = [
        read_evaluated(project, name)
        for name in project.params.compare.baselines
        if name in project.params.models and name != challenger.model
    ]
    if champion is None:
        return gather_evidence(challenger, baselines)
    name = f"{champion.model_id} (version {champion.number})"
    try:
        return gather_evidence(
            challenger, baselines, (name, _score_champion(project, registry, champion, challenger))
        )
    except (BadDataError, UsageError) as error:
        log.warning("The champion cannot be scored on the present test set: %s", error)
        evidence = gather_evidence(challenger, baselines)
        return replace(evidence, champion=Champion(name, evidence.test_digest, None))


def _rolled_back(registry: ModelRegistry, version: Version) -> str:
    """Who rolled this version back and why, if that is how it last lost the champion's place."""
    lost = next((move for move in history(registry) if move.replaced == version.number), None)
    return f"{lost.by} rolled it back: {lost.reason}" if lost and lost.action == "rollback" else ""


def _score_champion(
    project: Project, registry: ModelRegistry, champion: Version, challenger: Evaluated
) -> Evaluated:
    test = challenger.predictions.of_split("test")
    with scratch_folder() as folder:
        bundle = read_bundle(bundle_in(registry.download(champion, folder)))
    return rescore(project, bundle, champion.model_id, list(test.clip_ids))


def _same(again: ClipPredictions, test: ClipPredictions) -> bool:
    """Whether two predictions of the same clips agree; scorers of anomalies have scores alone."""
    if again.scores is not None and test.scores is not None:
        return np.allclose(again.scores, test.scores, rtol=SAME_PROBABILITY)
    return np.allclose(again.probabilities, test.probabilities, atol=SAME_PROBABILITY)
