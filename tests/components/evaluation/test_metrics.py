"""Metrics against scikit-learn, the papers' arithmetic, and what is undefined."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from components.core.errors import BadDataError
from components.evaluation.metrics import (
    Scored,
    better,
    confusion_counts,
    count_measures,
    measures,
    paper_convention,
    point_values,
)

STALKING = ("non_stalking", "stalking")


def scored(labels, probabilities, predicted=None, classes=None, groups=None) -> Scored:
    probabilities = np.asarray(probabilities, dtype=float)
    names = classes or tuple(f"class{k}" for k in range(probabilities.shape[1]))
    return Scored(
        np.asarray(labels, dtype=np.int64),
        probabilities.argmax(axis=1) if predicted is None else np.asarray(predicted, dtype=np.int64),
        probabilities,
        np.asarray(groups if groups is not None else [f"g{i}" for i in range(len(labels))]),
        names,
    )


@st.composite
def judged(draw, n_classes: int) -> Scored:
    n = draw(st.integers(1, 30))
    labels = draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n))
    # Few distinct values, so that ties are common.
    cells = draw(
        st.lists(st.lists(st.integers(1, 5), min_size=n_classes, max_size=n_classes), min_size=n, max_size=n)
    )
    weights = np.array(cells, dtype=float)
    return scored(labels, weights / weights.sum(axis=1, keepdims=True))


def point(item: Scored) -> dict[str, float | None]:
    return point_values(measures(item))


@given(judged(n_classes=3))
@settings(max_examples=60, deadline=None)
def test_counts_agree_with_sklearn(item):
    found = point(item)
    expected = oracle.precision_recall_fscore_support(
        item.labels, item.predicted, labels=[0, 1, 2], zero_division=np.nan
    )
    for k, name in enumerate(item.classes):
        for metric, values in zip(("precision", "recall", "f1"), expected[:3], strict=True):
            value = found[f"{metric}_{name}"]
            assert (math.nan if value is None else value) == pytest.approx(values[k], nan_ok=True)
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(item.labels, item.predicted))
    counts = confusion_counts(item.labels, item.predicted, 3)
    assert counts.tolist() == oracle.confusion_matrix(item.labels, item.predicted, labels=[0, 1, 2]).tolist()
    if set(item.labels) == {0, 1, 2}:
        for average in ("macro", "weighted"):
            f1 = oracle.f1_score(item.labels, item.predicted, average=average, labels=[0, 1, 2])
            assert found[f"{average}_f1"] == pytest.approx(f1)


@given(judged(n_classes=2))
@settings(max_examples=60, deadline=None)
def test_binary_probabilities_agree_with_sklearn(item):
    found, positive = point(item), item.probabilities[:, 1]
    both = len(set(item.labels)) == 2
    assert found["roc_auc"] == (pytest.approx(oracle.roc_auc_score(item.labels, positive)) if both else None)
    any_positive = item.labels.any()
    expected = pytest.approx(oracle.average_precision_score(item.labels, positive)) if any_positive else None
    assert found["pr_auc"] == expected
    assert found["brier"] == pytest.approx(oracle.brier_score_loss(item.labels, positive, labels=[0, 1]))


@given(judged(n_classes=3))
@settings(max_examples=40, deadline=None)
def test_many_classes_agree_with_sklearn(item):
    found = point(item)
    if set(item.labels) == {0, 1, 2}:
        auc = oracle.roc_auc_score(item.labels, item.probabilities, multi_class="ovr", average="macro")
        assert found["roc_auc"] == pytest.approx(auc)
    else:
        assert found["roc_auc"] is None
    assert found["brier"] == pytest.approx(
        oracle.brier_score_loss(item.labels, item.probabilities, labels=[0, 1, 2])
    )


@given(judged(n_classes=3), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_weights_count_items_as_copies_do(item, seed):
    weights = np.random.default_rng(seed).integers(0, 4, size=len(item))
    copies = np.repeat(np.arange(len(item)), weights)
    copied = Scored(
        item.labels[copies],
        item.predicted[copies],
        item.probabilities[copies],
        item.groups[copies],
        item.classes,
    )
    for name, value in measures(item, weights[None].astype(float)).items():
        assert value[0] == pytest.approx(measures(copied)[name][0], nan_ok=True), name


def test_paper_table_1_row_2():
    counts = np.array([[20, 1], [4, 23]])
    found = point_values(count_measures(counts[None], STALKING))
    assert round(found["accuracy"], 4) == 0.8958
    rounded = {name: round(value, 2) for name, value in found.items()}
    assert [rounded[f"{m}_non_stalking"] for m in ("precision", "recall", "f1")] == [0.83, 0.95, 0.89]
    assert [rounded[f"{m}_stalking"] for m in ("precision", "recall", "f1")] == [0.96, 0.85, 0.90]
    assert rounded["macro_precision"] == rounded["macro_recall"] == 0.90


def test_paper_table_1_row_1():
    found = point_values(count_measures(np.array([[[15, 6], [6, 21]]]), STALKING))
    assert found["accuracy"] == 0.75
    assert [round(found[f"{m}_non_stalking"], 2) for m in ("precision", "recall", "f1")] == [0.71, 0.71, 0.71]
    assert [round(found[f"{m}_stalking"], 2) for m in ("precision", "recall", "f1")] == [0.78, 0.78, 0.78]


def test_paper_convention_has_the_first_class_as_positive():
    block = paper_convention(np.array([[20, 1], [4, 23]]), STALKING)
    assert block["positive"] == "non_stalking"
    assert block["precision"] == pytest.approx(20 / 24)
    assert block["recall"] == pytest.approx(20 / 21)
    assert paper_convention(np.zeros((3, 3), dtype=np.int64), ("a", "b", "c")) is None


@pytest.mark.parametrize(
    ("counts", "undefined", "defined"),
    [
        pytest.param(
            [[5, 0], [5, 0]],
            {"precision_b", "macro_precision"},
            {"f1_b": 0.0, "recall_b": 0.0},
            id="never named",
        ),
        pytest.param(
            [[5, 1], [0, 0]], {"recall_b", "macro_recall"}, {"precision_b": 0.0}, id="never a label"
        ),
        pytest.param(
            [[5, 0], [0, 0]], {"recall_b", "precision_b", "f1_b", "macro_f1"}, {"accuracy": 1.0}, id="absent"
        ),
        pytest.param([[0, 0], [0, 0]], {"accuracy", "recall_a", "weighted_f1"}, {}, id="no clips"),
    ],
)
def test_undefined_is_none_and_never_zero(counts, undefined, defined):
    found = point_values(count_measures(np.array([counts]), ("a", "b")))
    assert {name for name in undefined if found[name] is not None} == set()
    assert {name: found[name] for name in defined} == defined


def test_no_clips_gives_none_everywhere():
    assert set(point(scored([], np.zeros((0, 2)))).values()) == {None}


def test_calibration_error_by_hand():
    # Bin of 0.8: 0.85 promised, half came true. Bin of 0.1: 0.1 promised, none came true.
    probability = np.array([0.85, 0.85, 0.1, 0.1])
    item = scored([1, 0, 0, 0], np.stack([1 - probability, probability], axis=1))
    assert point(item)["ece"] == pytest.approx((2 * 0.35 + 2 * 0.1) / 4)


def test_direction_of_better_is_written():
    assert {better(name) for name in ("accuracy_low", "recall_stalking", "roc_auc")} == {"higher"}
    assert {better(name) for name in ("brier", "ece")} == {"lower"}
    with pytest.raises(KeyError):
        better("speed")


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(BadDataError, match=r"for 2 labels.*Wanted: .*N = 2"):
        Scored(np.array([0, 1]), np.array([0]), np.zeros((2, 2)), np.array(["a", "b"]), ("a", "b"))
