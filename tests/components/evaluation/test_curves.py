"""Curves against scikit-learn's, and against the areas that metrics computes another way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from components.evaluation.curves import pr_curve, reliability, roc_curve, steps
from components.evaluation.intervals import wilson
from components.evaluation.ranking import average_precision, roc_auc

ITEMS = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=30)


@given(ITEMS)
@settings(max_examples=60, deadline=None)
def test_roc_has_sklearn_s_points_and_the_area_of_the_ranks(items):
    positive, scores = np.array([kind for kind, _ in items]), np.array([score / 6 for _, score in items])
    curve = roc_curve(positive, scores)
    if positive.all() or not positive.any():
        assert curve is None
        return
    fpr, tpr, thresholds = oracle.roc_curve(positive, scores, drop_intermediate=False)
    assert curve.x == pytest.approx(fpr)
    assert curve.y == pytest.approx(tpr)
    assert curve.thresholds == pytest.approx(thresholds)
    area = roc_auc(positive, scores, np.ones((1, len(items))))[0]
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(area)


@given(ITEMS)
@settings(max_examples=60, deadline=None)
def test_pr_has_sklearn_s_points_and_the_area_of_the_ranks(items):
    positive, scores = np.array([kind for kind, _ in items]), np.array([score / 6 for _, score in items])
    curve = pr_curve(positive, scores)
    if not positive.any():
        assert curve is None
        return
    precision, recall, _ = oracle.precision_recall_curve(positive, scores)
    assert curve.x == pytest.approx(recall[::-1])
    assert curve.y == pytest.approx(precision[::-1])
    area = average_precision(positive, scores, np.ones((1, len(items))))[0]
    x, y = zip(*steps(list(zip(curve.x, curve.y, strict=True))), strict=True)
    assert float(np.trapezoid(y, x)) == pytest.approx(area)


@pytest.mark.parametrize("draw", [roc_curve, pr_curve])
def test_no_items_no_curve(draw):
    assert draw(np.zeros(0, dtype=bool), np.zeros(0)) is None


def test_reliability_by_hand():
    promised = np.array([0.02, 0.04, 0.55, 0.55, 0.55, 1.0])
    low, middle, top = reliability(promised, np.array([0, 0, 1, 1, 0, 1], dtype=bool))
    assert (low.n, low.promised, low.observed) == (2, pytest.approx(0.03), 0.0)
    assert (middle.n, middle.promised, middle.observed) == (3, pytest.approx(0.55), pytest.approx(2 / 3))
    assert (middle.low, middle.high) == (wilson(2, 3).low, wilson(2, 3).high)
    assert (top.n, top.promised, top.observed, top.high) == (1, 1.0, 1.0, 1.0)
