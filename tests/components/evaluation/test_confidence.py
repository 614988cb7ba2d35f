"""Sure and wrong, unsure and right."""

import numpy as np
import pytest

from components.evaluation.confidence import confidence, least_sure_right, surest_right, surest_wrong
from components.evaluation.predictions import ClipPredictions


def clips(labels: str, positive: list[float], scores: list[float] | None = None) -> ClipPredictions:
    """Two classes; called the second from 0.5 on, or by its score from 2 on."""
    share = np.array(positive)
    names = np.array([f"clip{k}" for k in range(len(labels))])
    given = None if scores is None else np.array(scores)
    return ClipPredictions(
        *(names, np.full(len(labels), "test"), names, np.array(list(map(int, labels)))),
        (share >= 0.5 if given is None else given >= 2).astype(np.int64),
        *(np.stack([1 - share, share], axis=1),) * 2,
        *(np.ones(len(labels)), ("walking", "following"), given),
    )


BY_SHARE = clips("01011", [0.1, 0.9, 0.8, 0.4, 0.55])
BY_SCORE = clips("01011", [np.nan] * 5, [1.0, 5.0, 9.0, 1.5, 2.5])


@pytest.mark.parametrize(
    ("table", "wrong", "right", "positive", "unsure"),
    [
        pytest.param(BY_SHARE, [2, 3], [0, 1, 4], [1, 4], [4, 0], id="probabilities"),
        pytest.param(BY_SCORE, [2, 3], [1, 0, 4], [1, 4], [4, 0], id="scores"),
        pytest.param(clips("00", [0.1, 0.2]), [], [0, 1], [], [1, 0], id="no error, nothing positive"),
    ],
)
def test_clips_at_both_ends(table, wrong, right, positive, unsure):
    assert surest_wrong(table, 2.0, 2).tolist() == wrong
    assert surest_right(table, 2.0).tolist() == right
    assert surest_right(table, 2.0, 1).tolist() == positive
    assert least_sure_right(table, 2.0, 2).tolist() == unsure


def test_limits_hold():
    assert surest_wrong(BY_SHARE, 0.5, 1).tolist() == [2]
    assert least_sure_right(BY_SHARE, 0.5, 0).tolist() == []


def test_confidence_is_of_the_answer_that_was_given():
    assert confidence(BY_SHARE, 0.5) == pytest.approx([0.9, 0.9, 0.8, 0.6, 0.55])
    assert confidence(BY_SCORE, 2.0) == pytest.approx([1, 3, 7, 0.5, 0.5])
