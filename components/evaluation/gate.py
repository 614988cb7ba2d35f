"""The gate: the written rule by which a challenger is promoted, held or rejected.

Every rule leaves a reason: what was measured, what was wanted, and which way is better. A number that is
missing counts as failed. REJECT goes before HOLD, HOLD before PROMOTE.

Source: the idea of declared thresholds with a written direction is that of MLflow's model validation
(mlflow/models/evaluation/validation.py); the tests resample source groups, which MLflow's do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from components.evaluation.metrics import Better, better
from components.evaluation.paired import Pair, PairedDifference, paired_difference
from components.evaluation.settings import GateSettings

Outcome = Literal["passed", "failed", "missing"]


class Decision(StrEnum):
    """What becomes of the challenger; in the order of precedence, the last goes first."""

    PROMOTE = "PROMOTE"
    HOLD = "HOLD"
    REJECT = "REJECT"


@dataclass(frozen=True)
class Champion:
    """The version in use, scored again on the challenger's test set.

    Attributes:
        name: as it is registered.
        test_digest: digest of the test set that it was scored on.
        pair: challenger first, champion second; None when it could not be scored.
    """

    name: str
    test_digest: str
    pair: Pair | None


@dataclass(frozen=True)
class Evidence:
    """All that the gate looks at.

    Attributes:
        model: the challenger.
        classes: the classes' names.
        test_digest: digest of the test set: its clips and their labels.
        n_groups: source groups in the test set.
        metrics: of the test set: accuracy, accuracy_low, coverage, recall_<class>.
        baselines: by name, challenger first, baseline second.
        champion: None while there is none.
        rolled_back: who took this very version's place away and why, in words; empty for nobody.
    """

    model: str
    classes: tuple[str, ...]
    test_digest: str
    n_groups: int
    metrics: Mapping[str, float | None]
    baselines: Mapping[str, Pair | None]
    champion: Champion | None = None
    rolled_back: str = ""


@dataclass(frozen=True)
class Reason:
    """What one rule found.

    Attributes:
        rule: its name: `accuracy`, `baseline majority`.
        measured, wanted: in words with numbers, for the person who reads the verdict.
        better: which direction of the measured number is the better one.
        decision: what this rule alone would decide.
        smallest_detectable: of a comparison, the smallest difference that it could have seen.
    """

    rule: str
    outcome: Outcome
    measured: str
    wanted: str
    better: Better
    decision: Decision
    smallest_detectable: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The gate's decision with every reason.

    Attributes:
        smallest_detectable: the smallest difference in accuracy that the hardest comparison could have seen:
            against the champion, or while there is none the coarsest against a baseline; None when nothing
            was compared.
    """

    model: str
    decision: Decision
    reasons: tuple[Reason, ...]
    smallest_detectable: float | None


def judge(evidence: Evidence, settings: GateSettings) -> Verdict:
    """Decide whether the challenger takes the champion's place."""
    floors = _floors(evidence, settings)
    baselines = _against_baselines(evidence, settings)
    champion = [_against_champion(evidence, evidence.champion, settings)] if evidence.champion else []
    rolled_back = [_taken_back(evidence.rolled_back)] if evidence.rolled_back else []
    reasons = (*floors, *baselines, *champion, *rolled_back)
    order = list(Decision)
    decision = max((reason.decision for reason in reasons), key=order.index)
    return Verdict(evidence.model, decision, reasons, _coarsest(champion or baselines))


def _floors(evidence: Evidence, settings: GateSettings) -> list[Reason]:
    wanted = {
        "accuracy": settings.min_accuracy,
        "accuracy_low": settings.min_accuracy_low,
        **{f"recall_{name}": settings.min_recall for name in evidence.classes},
        "coverage": settings.min_coverage,
    }
    floors = [_limit(name, evidence.metrics.get(name), limit) for name, limit in wanted.items()]
    return [*floors, _enough_groups(evidence.n_groups, settings.min_groups)]


def _limit(metric: str, value: float | None, limit: float) -> Reason:
    """A floor where higher is better, a ceiling where lower is."""
    direction = better(metric)
    wanted = f"at {'least' if direction == 'higher' else 'most'} {limit:.3f}"
    if value is None:
        return Reason(metric, "missing", "not measured, or undefined", wanted, direction, Decision.REJECT)
    holds = value >= limit if direction == "higher" else value <= limit
    outcome: Outcome = "passed" if holds else "failed"
    return Reason(
        metric, outcome, f"{value:.3f}", wanted, direction, Decision.PROMOTE if holds else Decision.REJECT
    )


def _enough_groups(n_groups: int, wanted: int) -> Reason:
    holds = n_groups >= wanted
    return Reason(
        "test source groups",
        "passed" if holds else "failed",
        str(n_groups),
        f"at least {wanted}",
        "higher",
        Decision.PROMOTE if holds else Decision.HOLD,
    )


def _against_baselines(evidence: Evidence, settings: GateSettings) -> list[Reason]:
    if not evidence.baselines:
        wanted = "at least one baseline evaluated on the same test set"
        return [Reason("baselines", "missing", "no baseline", wanted, "higher", Decision.HOLD)]
    return [_against_baseline(name, pair, settings) for name, pair in evidence.baselines.items()]


def _against_baseline(name: str, pair: Pair | None, settings: GateSettings) -> Reason:
    confidence = settings.baseline_confidence
    wanted = f"difference above 0, its lower bound at {confidence:.0%} one-sided too"
    if pair is None:
        return _not_scored(f"baseline {name}", wanted)
    found = paired_difference(pair, settings.bootstrap(confidence))
    if found.difference <= 0:
        decision = Decision.REJECT
    elif found.low is not None and found.low > 0:
        decision = Decision.PROMOTE
    else:
        decision = Decision.HOLD
    return _comparison(f"baseline {name}", found, wanted, decision)


def _against_champion(evidence: Evidence, champion: Champion, settings: GateSettings) -> Reason:
    rule = f"champion {champion.name}"
    wanted = (
        f"difference above 0, its lower bound at {settings.champion_confidence:.0%} one-sided "
        f"at least {-settings.margin:.3f}"
    )
    if champion.test_digest != evidence.test_digest:
        measured = (
            f"scored on test set {champion.test_digest[:12]}, the challenger on {evidence.test_digest[:12]}"
        )
        return Reason(rule, "failed", measured, "both on the same test set", "higher", Decision.HOLD)
    if champion.pair is None:
        return _not_scored(rule, wanted)
    found = paired_difference(champion.pair, settings.bootstrap(settings.champion_confidence))
    return _comparison(rule, found, wanted, _decide_on_champion(found, settings.margin))


def _decide_on_champion(found: PairedDifference, margin: float) -> Decision:
    if found.high is not None and found.high < 0:
        return Decision.REJECT
    if found.difference > 0 and found.low is not None and found.low >= -margin:
        return Decision.PROMOTE
    return Decision.HOLD


def _taken_back(measured: str) -> Reason:
    """Numbers on the test set do not outweigh what a person saw in use."""
    return Reason("rollback", "failed", measured, "a person's approval", "lower", Decision.HOLD)


def _not_scored(rule: str, wanted: str) -> Reason:
    return Reason(rule, "missing", "not scored on this test set", wanted, "higher", Decision.HOLD)


def _comparison(rule: str, found: PairedDifference, wanted: str, decision: Decision) -> Reason:
    outcome: Outcome = "passed" if decision is Decision.PROMOTE else "failed"
    return Reason(rule, outcome, _in_words(found), wanted, "higher", decision, found.smallest_detectable)


def _in_words(found: PairedDifference) -> str:
    if found.identical:
        return f"identical predictions of {found.n} clips"
    bounds = (
        "no bounds, as there is one source group"
        if found.low is None or found.high is None
        else f"bounds {found.low:+.3f} and {found.high:+.3f}"
    )
    return f"difference {found.difference:+.3f}, {bounds}, {found.n} clips of {found.n_groups} source groups"


def _coarsest(comparisons: list[Reason]) -> float | None:
    return max(
        (reason.smallest_detectable for reason in comparisons if reason.smallest_detectable), default=None
    )
