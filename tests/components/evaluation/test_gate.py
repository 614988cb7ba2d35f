"""The gate as a table of named cases: what comes in, what is decided, and why."""

from dataclasses import replace

import numpy as np
import pytest

from components.core.files import canonical_json
from components.core.settings import to_dict
from components.evaluation.gate import Champion, Decision, Evidence, judge
from components.evaluation.intervals import group_intervals
from components.evaluation.metrics import Scored, measures, point_values
from components.evaluation.paired import Pair
from components.evaluation.settings import BootstrapSettings, GateSettings

CLASSES = ("walking", "stalking")
N, FILMS = 64, 16
LABELS = np.arange(N) % 2
GROUPS = np.array([f"film{i // (N // FILMS):02d}" for i in range(N)])
MAJORITY = np.zeros(N, dtype=np.int64)
SETTINGS = GateSettings(samples=500)


def right_on(share: float, seed: int = 0) -> np.ndarray:
    """Predictions of which this share is right, the wrong ones scattered over films and classes."""
    wrong = np.random.default_rng(seed).permutation(N)[: round((1 - share) * N)]
    predicted = LABELS.copy()
    predicted[wrong] = 1 - predicted[wrong]
    return predicted


def versus(first: np.ndarray, second: np.ndarray) -> Pair:
    return Pair(LABELS, first, second, GROUPS)


def champion(first: np.ndarray, second: np.ndarray, test_digest: str = "frozen") -> Champion:
    return Champion("tailwatch@champion v3", test_digest, versus(first, second))


def evidence(predicted: np.ndarray, **changes) -> Evidence:
    scored = Scored(LABELS, predicted, np.eye(2)[predicted], GROUPS, CLASSES)
    values, bounds = point_values(measures(scored)), group_intervals(scored, BootstrapSettings(500))
    metrics = {
        "accuracy": values["accuracy"],
        "accuracy_low": bounds["accuracy"].low,
        "recall_walking": values["recall_walking"],
        "recall_stalking": values["recall_stalking"],
        "coverage": 0.9,
    }
    found = Evidence("fusion", CLASSES, "frozen", FILMS, metrics, {"majority": versus(predicted, MAJORITY)})
    return replace(found, **changes)


ORACLE, GOOD, FAIR = LABELS, right_on(0.9), right_on(0.75, seed=4)
SHUFFLED = np.random.default_rng(8).permutation(LABELS)

CASES = [
    pytest.param(evidence(ORACLE), Decision.PROMOTE, None, id="an oracle, no champion"),
    pytest.param(evidence(GOOD), Decision.PROMOTE, None, id="a good model, no champion"),
    pytest.param(
        evidence(ORACLE, champion=champion(ORACLE, GOOD)),
        Decision.PROMOTE,
        None,
        id="an oracle over a champion",
    ),
    pytest.param(evidence(SHUFFLED), Decision.REJECT, "accuracy", id="learned from shuffled labels"),
    pytest.param(
        evidence(GOOD, champion=champion(GOOD, GOOD)),
        Decision.HOLD,
        "champion tailwatch@champion v3",
        id="a copy of the champion",
    ),
    pytest.param(
        evidence(GOOD, champion=champion(GOOD, right_on(0.9, seed=9))),
        Decision.HOLD,
        "champion tailwatch@champion v3",
        id="as often right as the champion, on other clips",
    ),
    pytest.param(
        evidence(FAIR, champion=champion(FAIR, ORACLE)),
        Decision.REJECT,
        "champion tailwatch@champion v3",
        id="significantly worse than the champion",
    ),
    pytest.param(
        evidence(GOOD, champion=champion(ORACLE, GOOD, test_digest="older")),
        Decision.HOLD,
        "champion tailwatch@champion v3",
        id="champion scored on another test set",
    ),
    pytest.param(
        evidence(GOOD, champion=Champion("v3", "frozen", None)),
        Decision.HOLD,
        "champion v3",
        id="champion not scored",
    ),
    pytest.param(
        evidence(GOOD, metrics=dict(evidence(GOOD).metrics) | {"recall_stalking": None}),
        Decision.REJECT,
        "recall_stalking",
        id="a metric is undefined",
    ),
    pytest.param(evidence(GOOD, metrics={}), Decision.REJECT, "coverage", id="no metric at all"),
    pytest.param(
        evidence(GOOD, metrics=dict(evidence(GOOD).metrics) | {"accuracy_low": 0.49}),
        Decision.REJECT,
        "accuracy_low",
        id="the lower bound is under its floor",
    ),
    pytest.param(
        evidence(GOOD, metrics=dict(evidence(GOOD).metrics) | {"recall_walking": 0.2}),
        Decision.REJECT,
        "recall_walking",
        id="one class is hardly found",
    ),
    pytest.param(
        evidence(GOOD, metrics=dict(evidence(GOOD).metrics) | {"coverage": 0.1}),
        Decision.REJECT,
        "coverage",
        id="hardly anything was measured",
    ),
    pytest.param(evidence(GOOD, n_groups=2), Decision.HOLD, "test source groups", id="two films only"),
    pytest.param(evidence(GOOD, baselines={}), Decision.HOLD, "baselines", id="no baseline"),
    pytest.param(
        evidence(GOOD, baselines={"logistic": None}),
        Decision.HOLD,
        "baseline logistic",
        id="a baseline not scored",
    ),
    pytest.param(
        evidence(GOOD, baselines={"logistic": versus(GOOD, ORACLE)}),
        Decision.REJECT,
        "baseline logistic",
        id="a baseline is better",
    ),
    pytest.param(
        evidence(GOOD, baselines={"logistic": versus(GOOD, GOOD)}),
        Decision.REJECT,
        "baseline logistic",
        id="a baseline is as good",
    ),
]


@pytest.mark.parametrize(("given", "decision", "because"), CASES)
def test_decision(given, decision, because):
    verdict = judge(given, SETTINGS)
    deciding = [reason.rule for reason in verdict.reasons if reason.decision == verdict.decision]
    assert verdict.decision == decision, verdict.reasons
    assert because is None or because in deciding
    assert {reason.outcome for reason in verdict.reasons if reason.decision is not Decision.PROMOTE} <= {
        "failed",
        "missing",
    }


def test_a_rollback_holds_what_would_be_promoted():
    verdict = judge(evidence(ORACLE, rolled_back="Ann rolled it back: false alarms"), SETTINGS)
    assert verdict.decision is Decision.HOLD
    assert (verdict.reasons[-1].rule, verdict.reasons[-1].outcome) == ("rollback", "failed")


def test_ahead_of_a_baseline_but_not_surely_is_held():
    one_better = GOOD.copy()
    one_better[np.flatnonzero(GOOD == LABELS)[0]] ^= 1
    verdict = judge(evidence(GOOD, baselines={"logistic": versus(GOOD, one_better)}), SETTINGS)
    reason = next(reason for reason in verdict.reasons if reason.rule == "baseline logistic")
    assert (verdict.decision, reason.outcome) == (Decision.HOLD, "failed")
    assert reason.measured.startswith("difference +0.016, bounds +0.000")


def test_margin_decides_how_much_worse_the_bound_may_lie():
    given = evidence(GOOD, champion=champion(GOOD, right_on(0.87, seed=9)))
    assert judge(given, replace(SETTINGS, margin=0.2)).decision is Decision.PROMOTE
    assert judge(given, replace(SETTINGS, margin=0.0)).decision is Decision.HOLD


def test_every_verdict_says_what_it_could_have_seen():
    verdict = judge(evidence(GOOD, champion=champion(GOOD, FAIR)), SETTINGS)
    by_rule = {reason.rule: reason for reason in verdict.reasons}
    assert verdict.smallest_detectable == by_rule["champion tailwatch@champion v3"].smallest_detectable
    assert 0.02 < verdict.smallest_detectable < 0.3
    assert judge(evidence(GOOD, baselines={}), SETTINGS).smallest_detectable is None


def test_reasons_read_as_measured_and_wanted():
    verdict = judge(evidence(FAIR, champion=champion(FAIR, FAIR)), SETTINGS)
    text = {reason.rule: (reason.measured, reason.wanted, reason.better) for reason in verdict.reasons}
    assert text["accuracy"] == ("0.750", "at least 0.600", "higher")
    assert text["champion tailwatch@champion v3"][0] == "identical predictions of 64 clips"
    assert canonical_json(to_dict(verdict)).count('"decision":"HOLD"') == 2


def test_the_worst_reason_decides():
    metrics = dict(evidence(GOOD).metrics) | {"coverage": 0.1}
    verdict = judge(evidence(GOOD, metrics=metrics, n_groups=2), SETTINGS)
    assert verdict.decision is Decision.REJECT
    assert [r.decision for r in verdict.reasons if r.rule == "test source groups"] == [Decision.HOLD]
