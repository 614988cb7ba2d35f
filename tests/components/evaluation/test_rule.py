"""Paper 003's counting rule: its numbers, what may be set, and the events that make an alarm."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.errors import BadDataError, UsageError
from components.evaluation import rule
from components.evaluation.rule import RuleEvent, RuleSettings, apply_rule, runs_of, top_1

NINE = [81.0] * 9
EVEN, BROKEN = [81.0] * 10, [*NINE, 79.0, *NINE]


def judge(percents, labels=None, times_s=None, end_s=None, **terms):
    labels = ["Fighting"] * len(percents) if labels is None else labels
    times_s = np.arange(len(percents), dtype=float) if times_s is None else times_s
    end_s = float(len(percents)) if end_s is None else end_s
    return apply_rule(labels, np.array(percents, float), times_s, end_s, RuleSettings(**terms))


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
        pytest.param([*NINE, 81.0], {"max_frames": 9}, False, id="the tenth is not looked at"),
        pytest.param([0.0] * 500 + EVEN, {}, False, id="after the first five hundred"),
        pytest.param([0.0] * 500 + EVEN, {"max_frames": None}, True, id="no end to looking"),
        pytest.param([90.0], {"min_count": 1}, True, id="one is enough"),
        pytest.param([], {}, False, id="no frames"),
    ],
)
def test_alarms(percents, terms, alarm):
    assert judge(percents, **terms).alarm is alarm


def test_normal_frames_are_never_suspicious_however_sure():
    labels = ["Fighting"] * 5 + ["Normal"] + ["Fighting"] * 5
    found = judge([99.0] * 11, labels)
    assert (found.alarm, found.longest_run, found.total) == (False, 5, 10)
    assert judge([99.0] * 11, labels, mode="total").alarm
    assert not judge([99.0] * 11, labels, mode="total", normal_labels=("Normal", "Fighting")).alarm


def test_only_the_likeliest_class_counts():
    """The paper's loop over all classes has every low runner-up begin anew."""
    probabilities = np.tile([0.1, 0.85, 0.05], (10, 1))
    labels, percents = top_1(probabilities, ["Normal", "Fighting", "Arson"])
    assert labels == ["Fighting"] * 10
    np.testing.assert_allclose(percents, 85.0)
    assert judge(percents, labels).alarm


def test_events_tell_when_and_what():
    percents = [10.0, 81.0, 95.0, 95.0, 20.0, 85.0, 85.0, 99.0]
    labels = ["Arson", "Arson", "Assault", "Fighting", "Arson", "Arson", "Arson", "Normal"]
    times_s = np.array([0.0, 0.5, 1.0, 1.5, 2.5, 3.0, 4.0, 5.0])
    found = judge(percents, labels, times_s, 6.0, min_count=3)
    assert found.events == (RuleEvent(0.5, 2.5, "Assault", 95.0, 3),)
    assert found.suspicious.tolist() == [False, True, True, True, False, True, True, False]
    both = judge(percents, labels, times_s, 6.0, min_count=3, mode="total").events
    assert both == (*found.events, RuleEvent(3.0, 5.0, "Arson", 85.0, 2))


def test_an_event_at_the_end_lasts_to_the_clips_end():
    assert judge(EVEN, end_s=10.25).events[0].end_s == 10.25


def test_an_event_that_is_cut_off_ends_with_the_next_frame():
    (event,) = judge([81.0] * 20, max_frames=12).events
    assert (event.start_s, event.end_s, event.frames) == (0.0, 12.0, 12)


@pytest.mark.parametrize(
    ("percents", "given_", "message"),
    [
        pytest.param([101.0], {}, "outside 0 to 100", id="too much"),
        pytest.param([float("nan")], {}, "outside 0 to 100", id="no number"),
        pytest.param([81.0] * 2, {"labels": ["Arson"]}, "1 labels, 2 percents", id="a label is missing"),
        pytest.param([81.0] * 2, {"times_s": np.array([1.0, 0.0])}, "do not rise", id="order of listdir"),
        pytest.param([81.0], {"end_s": 0.0}, "do not rise", id="ends as it begins"),
    ],
)
def test_what_is_no_clip_is_refused(percents, given_, message):
    with pytest.raises(BadDataError, match=message):
        judge(percents, **given_)


@pytest.mark.parametrize(
    "terms", [{"threshold": -1.0}, {"threshold": 101.0}, {"min_count": 0}, {"max_frames": 0}]
)
def test_terms_that_mean_nothing_are_refused(terms):
    with pytest.raises(UsageError, match="rule"):
        RuleSettings(**terms)


def test_the_examples_are_true():
    assert doctest.testmod(rule) == doctest.TestResults(failed=0, attempted=5)


FRAMES = st.lists(st.tuples(st.sampled_from(["Normal", "Arson", "Abuse"]), st.floats(60, 100)), max_size=40)
TERMS = {
    "threshold": st.floats(60, 100),
    "min_count": st.integers(1, 12),
    "comparison": st.sampled_from(["ge", "gt"]),
    "max_frames": st.none() | st.integers(1, 40),
}


@given(frames=FRAMES, terms=st.fixed_dictionaries(TERMS))
@settings(deadline=None)
def test_what_holds_of_every_verdict(frames, terms):
    labels, percents = [label for label, _ in frames], [percent for _, percent in frames]
    one, all_ = judge(percents, labels, **terms), judge(percents, labels, **terms, mode="total")
    assert (one.longest_run, one.total) == as_the_paper_counts(labels, percents, terms)
    assert one.alarm <= all_.alarm
    assert bool(one.events) == one.alarm
    assert bool(all_.events) == all_.alarm
    assert sum(event.frames for event in all_.events) == (all_.total if all_.alarm else 0)
    assert set(one.events) <= set(all_.events)
    ends = [0.0, *(time for event in all_.events for time in (event.start_s, event.end_s))]
    assert ends == sorted(ends)
    assert all(event.label != "Normal" for event in all_.events)
    assert sum(end - start for start, end in runs_of(one.suspicious)) == one.total


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
            assert strict.alarm <= judge(percents, labels, **{**terms, **change}, mode=mode).alarm
