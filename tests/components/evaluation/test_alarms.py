"""Rules of alarms: recall against false alarms per hour."""

import doctest
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.evaluation import alarms
from components.evaluation.alarms import (
    AlarmRule,
    Side,
    choose,
    figures,
    frontier,
    own_rule,
    strengths,
)
from components.evaluation.settings import BootstrapSettings
from components.models.counting_rule import RuleSettings, alarms_of, top_1

FEW = BootstrapSettings(samples=200)
# Of every frame; the last two clips are negative and last a quarter and three quarters of an hour.
SCORES = [[0.9, 0.1, 0.9], [0.6, 0.7, 0.2], [0.3, 0.2, 0.1], [0.8, 0.1, 0.1], [0.5, 0.5, 0.4]]


def side(scores, positive=(1, 1, 1, 0, 0), hours=(9, 9, 9, 0.25, 0.75), groups="abcde") -> Side:
    return Side(
        np.array(scores, float), np.array(positive, bool), np.array(hours, float), np.array(list(groups))
    )


@pytest.mark.parametrize(
    ("rule", "sounded"),
    [
        pytest.param(AlarmRule(0.8, 1, "total"), [1, 0, 0, 1, 0], id="one frame"),
        pytest.param(AlarmRule(0.81, 1, "total"), [1, 0, 0, 0, 0], id="one frame, higher"),
        pytest.param(AlarmRule(0.6, 2, "consecutive"), [0, 1, 0, 0, 0], id="two in a row"),
        pytest.param(AlarmRule(0.6, 2, "total"), [1, 1, 0, 0, 0], id="two in all"),
        pytest.param(AlarmRule(0.4, 3, "consecutive"), [0, 0, 0, 0, 1], id="all three"),
    ],
)
def test_a_rule_sounds(rule, sounded):
    assert rule.sounds(np.array(SCORES)).tolist() == [bool(one) for one in sounded]


def test_the_frontier_of_five_clips():
    """Two in all find two of three clips before any false alarm; the third comes with both false ones."""
    found = [
        (point.rule, point.recall, point.alarms, point.alarms_per_hour) for point in frontier(side(SCORES))
    ]
    assert found == [
        (AlarmRule(0.6, 2, "total"), pytest.approx(2 / 3), 0, 0.0),
        (AlarmRule(0.2, 2, "total"), 1.0, 1, 1.0),
    ]


@pytest.mark.parametrize(
    ("limit", "recall"),
    [
        pytest.param(0.0, 2 / 3, id="none allowed"),
        pytest.param(0.99, 2 / 3, id="less than one"),
        pytest.param(1.0, 1.0, id="the limit is allowed"),
    ],
)
def test_the_highest_recall_within_the_limit(limit, recall):
    assert choose(frontier(side(SCORES)), limit).recall == pytest.approx(recall)


@pytest.mark.parametrize(
    ("scores", "wanted"),
    [
        pytest.param([[0.9, 0.8], [0.1, 0.1]], AlarmRule(0.9, 1, "total"), id="higher threshold"),
        pytest.param([[0.9, 0.9], [0.1, 0.1]], AlarmRule(0.9, 1, "total"), id="lower count"),
        pytest.param([[0.9, 0.9], [0.9, 0.1]], AlarmRule(0.9, 2, "total"), id="in all before in a row"),
        pytest.param([[0.1, 0.1], [0.9, 0.9]], None, id="every rule alarms at the negative clip"),
    ],
)
def test_ties_and_nothing(scores, wanted):
    chosen = choose(frontier(side(scores, (1, 0), (1, 1), "ab")), 0.5)
    assert (chosen and chosen.rule) == wanted


@pytest.mark.parametrize(
    ("positive", "hours"),
    [
        pytest.param((0, 0), (1, 1), id="no positive clip"),
        pytest.param((1, 1), (1, 1), id="no negative clip"),
        pytest.param((1, 0), (1, 0), id="negative clips of no length"),
    ],
)
def test_a_side_that_tells_nothing_has_no_frontier(positive, hours):
    assert frontier(side([[0.9], [0.1]], positive, hours, "ab")) == []


def test_an_empty_side():
    nobody = side(np.zeros((0, 3)), (), (), "")
    assert frontier(nobody) == []
    nothing = {"value": None, "low": None, "high": None}
    assert figures(np.zeros(0, bool), nobody, FEW) == {
        "recall": nothing,
        "alarms_per_hour": nothing,
        "alarms": 0,
    }


def test_figures_of_alarms():
    found = figures(np.array([1, 0, 0, 1, 0], bool), side(SCORES), FEW)
    assert found["recall"]["value"] == pytest.approx(1 / 3)
    assert 0 <= found["recall"]["low"] < 1 / 3 < found["recall"]["high"] <= 1
    rate = {"value": 1.0, "low": 0.0, "high": 4.0}  # only the quarter of an hour, with its alarm, is drawn
    assert found["alarms_per_hour"] == pytest.approx(rate)
    assert found["alarms"] == 1


def test_no_alarm_has_no_interval_of_its_rate():
    found = figures(np.zeros(5, bool), side(SCORES), FEW)
    assert found["alarms_per_hour"] == {"value": 0.0, "low": None, "high": None}


def test_the_side_that_had_a_say_has_no_interval():
    found = figures(np.array([1, 0, 0, 1, 0], bool), side(SCORES))
    assert found["recall"] == {"value": pytest.approx(1 / 3), "low": None, "high": None}


def test_the_examples_are_true():
    assert doctest.testmod(alarms) == doctest.TestResults(failed=0, attempted=2)


TENTHS = st.integers(0, 10).map(lambda tenth: tenth / 10)
FILMS = arrays(float, st.tuples(st.just(6), st.integers(1, 5)), elements=TENTHS)
MODES = st.sampled_from(["consecutive", "total"])


@given(scores=FILMS, threshold=st.integers(51, 100), count=st.integers(1, 5), mode=MODES)
@settings(deadline=None)
def test_alarms_are_the_counting_rules(scores, threshold, count, mode):
    count = min(count, scores.shape[1])
    rule = RuleSettings(threshold, count, mode, "ge", 500, ("noFight",))
    frames = np.stack([1 - scores, scores], axis=-1)
    order, classes = np.arange(scores.shape[1]), ("noFight", "fight")
    wanted = [bool(alarms_of(*top_1(one, classes), order, rule)) for one in frames]
    assert (100 * strengths(scores, count, mode) >= threshold).tolist() == wanted


@given(scores=FILMS, count=st.integers(1, 5), mode=MODES, low=TENTHS, higher=TENTHS)
@settings(deadline=None)
def test_recall_and_alarms_fall_as_the_threshold_rises(scores, count, mode, low, higher):
    count, clips = min(count, scores.shape[1]), side(scores, [1, 1, 1, 0, 0, 0], [1] * 6, "abcdef")
    before, after = (
        figures(AlarmRule(threshold, count, mode).sounds(scores), clips)
        for threshold in sorted((low, higher))
    )
    assert after["recall"]["value"] <= before["recall"]["value"]
    assert after["alarms"] <= before["alarms"]


@given(scores=FILMS, threshold=TENTHS, count=st.integers(1, 5), mode=MODES)
@settings(deadline=None)
def test_no_rule_outdoes_the_frontier(scores, threshold, count, mode):
    count, clips = min(count, scores.shape[1]), side(scores, [1, 1, 1, 0, 0, 0], [1] * 6, "abcdef")
    points = frontier(clips)
    assert [point.recall for point in points] == sorted({point.recall for point in points})
    assert [point.alarms for point in points] == sorted({point.alarms for point in points})
    told = figures(AlarmRule(threshold, count, mode).sounds(scores), clips)
    best = choose(points, told["alarms_per_hour"]["value"])
    assert told["recall"]["value"] <= (best.recall if best else 0.0)
    for point in points:
        again = figures(point.rule.sounds(scores), clips)
        assert (again["recall"]["value"], again["alarms"]) == (point.recall, point.alarms)


@pytest.mark.parametrize(
    ("model_id", "wanted"),
    [
        pytest.param("logistic", None, id="none"),
        pytest.param(
            "inception_rule",
            RuleSettings(90.0, 3, "total", "gt", 20, normal_labels=("non_stalking",)),
            id="paper 003's",
        ),
    ],
)
def test_a_model_may_bring_its_rule_along(model_id, wanted):
    terms = {"threshold": 90.0, "min_count": 3, "mode": "total", "comparison": "gt", "max_frames": 20}
    classes = ("non_stalking", "stalking")
    info = SimpleNamespace(model_id=model_id, settings=terms if wanted else {}, classes=classes)
    assert own_rule(info) == wanted
