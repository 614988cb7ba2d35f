"""From evaluations to the gate's evidence."""

from dataclasses import replace

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.evaluation.evidence import Evaluated, gather_evidence
from components.evaluation.gate import Decision, judge
from components.evaluation.predictions import ClipPredictions
from components.evaluation.settings import BootstrapSettings, GateSettings
from components.evaluation.summary import summarise

CLASSES = ("non_stalking", "stalking")
N = 48


def evaluated(model: str, predicted: np.ndarray, test_digest: str = "frozen") -> Evaluated:
    table = ClipPredictions(
        clip_ids=np.array([f"clip{i:02d}" for i in range(N)]),
        splits=np.array(["test"] * N),
        groups=np.array([f"film{i // 4}" for i in range(N)]),
        labels=np.arange(N) % 2,
        predicted=predicted,
        probabilities=np.eye(2)[predicted],
        raw=np.eye(2)[predicted],
        coverage=np.full(N, 0.8),
        classes=CLASSES,
    )
    test = summarise(table.scored(), BootstrapSettings(200)) | {"coverage": 0.8}
    return Evaluated(model, {"test_digest": test_digest, "splits": {"test": {"clips": test}}}, table)


def oracle(wrong: int = 0) -> np.ndarray:
    predicted = np.arange(N) % 2
    predicted[:wrong] = 1 - predicted[:wrong]
    return predicted


MAJORITY = evaluated("majority", np.zeros(N, dtype=np.int64))
GATE = GateSettings(samples=200)


def test_metrics_and_pairs_come_through():
    found = gather_evidence(evaluated("fusion", oracle(wrong=3)), [MAJORITY])
    assert found.metrics["accuracy"] == pytest.approx(45 / 48)
    assert found.metrics["recall_stalking"] == pytest.approx(23 / 24)
    assert found.metrics["coverage"] == 0.8
    assert 0.5 < found.metrics["accuracy_low"] < 45 / 48
    assert (found.n_groups, found.champion) == (12, None)
    assert found.baselines["majority"].gains.sum() == 21
    assert judge(found, GATE).decision is Decision.PROMOTE


@pytest.mark.parametrize(
    ("champion", "decision"),
    [
        pytest.param(evaluated("old", oracle(wrong=12)), Decision.PROMOTE, id="a worse champion"),
        pytest.param(evaluated("old", oracle(wrong=3)), Decision.HOLD, id="the same champion"),
        pytest.param(evaluated("old", oracle(wrong=12), "older"), Decision.HOLD, id="another test set"),
    ],
)
def test_champion(champion, decision):
    found = gather_evidence(evaluated("fusion", oracle(wrong=3)), [MAJORITY], ("v2", champion))
    verdict = judge(found, GATE)
    assert verdict.decision is decision
    assert verdict.reasons[-1].rule == "champion v2"


def test_a_baseline_of_another_test_set_is_refused():
    stale = replace(MAJORITY, summary={**MAJORITY.summary, "test_digest": "older"})
    with pytest.raises(BadDataError, match="fusion and majority were judged on different test sets"):
        gather_evidence(evaluated("fusion", oracle()), [stale])
