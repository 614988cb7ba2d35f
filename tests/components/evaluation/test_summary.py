"""One split's summary and its few small numbers."""

import numpy as np
import pytest

from components.core.files import canonical_json
from components.evaluation.intervals import wilson
from components.evaluation.metrics import Scored
from components.evaluation.settings import BootstrapSettings
from components.evaluation.summary import flat_metrics, sign_of_chance, summarise

CLASSES = ("non_stalking", "stalking")
SETTINGS = BootstrapSettings(samples=200)


def paper_test_set() -> Scored:
    labels = np.repeat([0, 0, 1, 1], [20, 1, 4, 23])
    predicted = np.repeat([0, 1, 0, 1], [20, 1, 4, 23])
    probabilities = np.where(np.eye(2)[predicted] > 0, 0.9, 0.1)
    return Scored(labels, predicted, probabilities, np.array([f"film{i % 12}" for i in range(48)]), CLASSES)


def test_the_paper_s_test_set():
    found = summarise(paper_test_set(), SETTINGS)
    assert found["confusion"] == [[20, 1], [4, 23]]
    assert found["support"] == {"non_stalking": 21, "stalking": 27}
    assert (found["n"], found["n_groups"]) == (48, 12)
    assert found["wilson"]["accuracy"]["low"] == wilson(43, 48).low
    assert found["wilson"]["assumes"] == "independent items"
    accuracy = found["metrics"]["accuracy"]
    assert accuracy["value"] == pytest.approx(43 / 48)
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert (accuracy["level"], accuracy["method"]) == (0.95, "group bootstrap")
    assert found["paper_convention"]["recall"] == pytest.approx(20 / 21)
    assert canonical_json(found)


def test_small_numbers_are_flat_and_keep_what_is_undefined():
    one_class = paper_test_set().where(np.arange(48) < 21)
    small = flat_metrics(summarise(one_class, SETTINGS), CLASSES)
    assert small["recall_stalking"] is None
    assert small["roc_auc"] is None
    assert small["recall_non_stalking"] == pytest.approx(20 / 21)
    assert all(value is None or isinstance(value, float | int) for value in small.values())


def test_no_clips():
    found = summarise(paper_test_set().where(np.zeros(48, dtype=bool)), SETTINGS)
    assert (found["n"], found["n_groups"]) == (0, 0)
    assert {entry["value"] for entry in found["metrics"].values()} == {None}
    assert found["wilson"]["accuracy"]["low"] is None


@pytest.mark.parametrize(
    ("value", "low", "told"),
    [
        pytest.param(0.7, 0.45, "0.700 (0.450 to 0.900) on 48 test clips", id="reaches one half"),
        pytest.param(0.7, 0.5, "0.700 (0.500 to 0.900)", id="begins there"),
        pytest.param(0.7, None, "0.700 (no interval)", id="no interval"),
        pytest.param(0.7, 0.51, "", id="above"),
        pytest.param(None, None, "", id="undefined"),
    ],
)
def test_a_scorer_that_ranks_as_any_order_does(value, low, told):
    found = {"value": value, "low": low, "high": None if low is None else 0.9}
    said = sign_of_chance({"n": 48, "metrics": {"roc_auc": found}})
    assert told in said
    assert bool(said) == bool(told)
