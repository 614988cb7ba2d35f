"""Paper 003's counting rule: its numbers, and what may be set."""

import doctest
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.models import counting_rule
from components.models.counting_rule import Alarm, RuleSettings, alarms_of, in_words, top_1

PAPER_003 = {
    "threshold": 80.0,
    "min_count": 10,
    "mode": "consecutive",
    "comparison": "ge",
    "max_frames": 500,
    "normal_labels": ("Normal",),
}
NINE = [81.0] * 9
EVEN, BROKEN = [81.0] * 10, [*NINE, 79.0, *NINE]


def judge(percents, labels=None, **terms):
    labels = ["Fighting"] * len(percents) if labels is None else labels
    return bool(told(percents, labels, **terms))


def told(percents, labels, **terms):
    """Alarms of frames a second apart."""
    times_s, settings = np.arange(float(len(percents))), RuleSettings(**PAPER_003 | terms)
    return alarms_of(labels, np.array(percents, float), times_s, settings)


@pytest.mark.parametrize(
    ("percents", "terms", "alarm"),
    [
        pytest.param(EVEN, {}, True, id="ten that follow one another"),
        pytest.param(NINE, {}, False, id="nine"),
        pytest.param(BROKEN, {}, False, id="interrupted, consecutive"),
        pytest.param(BROKEN, {"mode": "total"}, True, id="interrupted, total"),
        pytest.param([80.0] * 10, {}, True, id="threshold reached"),
        pytest.param([80.0] * 11, {"comparison": "gt"}, False, id="threshold not exceeded"),
        pytest.param(EVEN, {"comparison": "gt"}, False, id="count not exceeded"),
        pytest.param([*EVEN, 81.0], {"comparison": "gt"}, True, id="both exceeded"),
        pytest.param(EVEN, {"max_frames": 9}, False, id="the tenth is not looked at"),
        pytest.param([0.0] * 490 + EVEN, {}, True, id="the last of the first five hundred"),
        pytest.param([0.0] * 491 + EVEN, {}, False, id="after the first five hundred"),
        pytest.param([90.0], {"min_count": 1}, True, id="one is enough"),
        pytest.param([], {}, False, id="no frames"),
    ],
)
def test_alarms(percents, terms, alarm):
    assert judge(percents, **terms) is alarm


def test_normal_frames_are_never_suspicious_however_sure():
    labels = ["Fighting"] * 5 + ["Normal"] + ["Fighting"] * 5
    assert not judge([99.0] * 11, labels)
    assert judge([99.0] * 11, labels, mode="total")
    assert not judge([99.0] * 11, labels, mode="total", normal_labels=("Normal", "Fighting"))


def test_only_the_likeliest_class_counts():
    """The paper's loop over all classes has every low runner-up begin anew."""
    probabilities = np.tile([0.1, 0.85, 0.05], (10, 1))
    labels, percents = top_1(probabilities, ["Normal", "Fighting", "Arson"])
    assert labels == ["Fighting"] * 10
    np.testing.assert_allclose(percents, 85.0)
    assert judge(percents, labels)


CLASSES = ("Normal", "Fighting", "Arson")
TWO_RUNS = [[0.1, 0.85, 0.05], [0.0, 0.9, 0.1], [0.9, 0.1, 0.0], [0.0, 0.05, 0.95], [0.1, 0.1, 0.8]]


@pytest.mark.parametrize(
    ("terms", "alarms"),
    [
        pytest.param(
            {"min_count": 2},
            [Alarm(1.0, 2.0, "Fighting", 90.0, 2), Alarm(4.0, 10.0, "Arson", 95.0, 2)],
            id="both are long enough",
        ),
        pytest.param({"min_count": 3}, [], id="neither is"),
        pytest.param(
            {"min_count": 3, "mode": "total"},
            [Alarm(1.0, 2.0, "Fighting", 90.0, 2), Alarm(4.0, 10.0, "Arson", 95.0, 2)],
            id="together",
        ),
        pytest.param(
            {"min_count": 1, "max_frames": 4},
            [Alarm(1.0, 2.0, "Fighting", 90.0, 2), Alarm(4.0, 7.0, "Arson", 95.0, 1)],
            id="the fifth is not looked at",
        ),
    ],
)
def test_when_an_alarm_begins_and_how_long_it_lasts(terms, alarms):
    terms, times_s = RuleSettings(**PAPER_003 | terms), np.array([1.0, 1.5, 2.0, 4.0, 7.0])
    assert alarms_of(*top_1(np.array(TWO_RUNS), CLASSES), times_s, terms) == alarms


def test_of_equally_likely_frames_the_first_names_the_alarm():
    (alarm,) = told([90.0, 90.0], ["Fighting", "Arson"], min_count=2)
    assert alarm.label == "Fighting"


def test_of_a_single_frame_nobody_knows_how_long_it_lasts():
    terms = RuleSettings(**PAPER_003 | {"min_count": 1})
    assert alarms_of(["Fighting"], np.array([90.0]), np.array([3.0]), terms) == [
        Alarm(3.0, 3.0, "Fighting", 90.0, 1)
    ]


def test_no_alarm_in_words():
    assert in_words([]) == "none"


def test_the_examples_are_true():
    assert doctest.testmod(counting_rule) == doctest.TestResults(failed=0, attempted=4)


FRAMES = st.lists(st.tuples(st.sampled_from(["Normal", "Arson", "Abuse"]), st.floats(60, 100)), max_size=40)
TERMS = {
    "threshold": st.floats(60, 100),
    "min_count": st.integers(1, 12),
    "comparison": st.sampled_from(["ge", "gt"]),
    "max_frames": st.integers(1, 40),
}


@given(frames=FRAMES, terms=st.fixed_dictionaries(TERMS))
@settings(deadline=None)
def test_it_counts_as_the_papers_loop_does(frames, terms):
    labels, percents = [label for label, _ in frames], [percent for _, percent in frames]
    longest, total = as_the_paper_counts(labels, percents, terms)
    enough = terms["min_count"] + (terms["comparison"] == "gt")
    assert judge(percents, labels, **terms) == (longest >= enough)
    assert judge(percents, labels, **terms, mode="total") == (total >= enough)
    if longest >= enough:
        alarms = told(percents, labels, **terms)
        assert max(alarm.frames for alarm in alarms) == longest
        assert sum(alarm.frames for alarm in alarms) <= total
        assert all(later.start_s - sooner.end_s >= 1 for sooner, later in pairwise(alarms))


def as_the_paper_counts(labels, percents, terms):
    """Its loop: up by one for a suspicious frame, back to nought for another."""
    count = longest = total = 0
    reaches = (lambda p: p >= terms["threshold"]) if terms["comparison"] == "ge" else None
    for label, percent in list(zip(labels, percents, strict=True))[: terms["max_frames"]]:
        sure = reaches(percent) if reaches else percent > terms["threshold"]
        if label != "Normal" and sure:
            count, total = count + 1, total + 1
        else:
            count = 0
        longest = max(longest, count)
    return longest, total


@given(frames=FRAMES, terms=st.fixed_dictionaries(TERMS), lower=st.floats(0, 1))
@settings(deadline=None)
def test_a_stricter_rule_never_alarms_more(frames, terms, lower):
    labels, percents = [label for label, _ in frames], [percent for _, percent in frames]
    for mode in ("consecutive", "total"):
        strict = judge(percents, labels, **terms, mode=mode)
        for change in ({"threshold": terms["threshold"] * lower}, {"min_count": 1}, {"comparison": "ge"}):
            assert strict <= judge(percents, labels, **{**terms, **change}, mode=mode)
