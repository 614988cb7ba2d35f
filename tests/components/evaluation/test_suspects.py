"""Suspected labels and worst mistakes in made-up opinions."""

import numpy as np

from components.evaluation.suspects import Mistake, Suspect, suspected_labels, worst_mistakes

SURE_0, SURE_1, UNSURE_1 = [0.95, 0.05], [0.05, 0.95], [0.45, 0.55]


def _suspected(labels, probabilities):
    return suspected_labels(labels, probabilities, probabilities.argmax(axis=2))


def test_a_flipped_label_stands_out():
    labels = np.array([0, 0, 1, 1, 0])
    opinions = np.array([SURE_0, SURE_0, SURE_1, SURE_1, SURE_1])
    found = _suspected(labels, np.stack([opinions, opinions]))
    assert found == [Suspect(place=4, label=0, suggested=1, probability=0.95, agreeing=2)]


def test_an_unsure_disagreement_is_no_suspicion():
    labels = np.array([0, 1, 1, 0])
    opinions = np.array([SURE_0, SURE_1, SURE_1, UNSURE_1])
    assert _suspected(labels, opinions[None]) == []


def test_surest_first_and_dissenters_counted():
    labels = np.array([0, 1, 0, 0])
    first = np.array([SURE_0, [0.3, 0.7], [0.2, 0.8], SURE_1])
    second = np.array([SURE_0, [0.3, 0.7], [0.2, 0.8], [0.51, 0.49]])
    found = _suspected(labels, np.stack([first, second]))
    assert [(suspect.place, suspect.agreeing) for suspect in found] == [(2, 2), (3, 1)]


def test_a_model_with_a_rule_agrees_by_its_verdict():
    labels = np.array([0, 1, 0, 0])
    likeliest = np.array([SURE_0, SURE_1, SURE_1, SURE_1])
    by_rule = np.array([0, 1, 1, 0])
    found = suspected_labels(labels, likeliest[None], by_rule[None])
    assert [(suspect.place, suspect.agreeing) for suspect in found] == [(2, 1)]


def test_a_class_without_clips_is_suggested_only_in_full_certainty():
    opinions = np.array([[0.8, 0.1, 0.1], [0.0, 0.4, 0.6]])
    assert _suspected(np.array([0, 1]), opinions[None]) == []


def test_worst_mistakes_are_the_surest():
    labels, predicted = np.array([0, 1, 1, 0]), np.array([1, 1, 0, 1])
    probabilities = np.array([[0.4, 0.6], SURE_1, [0.9, 0.1], [0.2, 0.8]])
    found = worst_mistakes(labels, predicted, probabilities, limit=2)
    assert found == [Mistake(2, 1, 0, 0.9), Mistake(3, 0, 1, 0.8)]
