"""Folds put together: each clip judged once per seed, models paired over all of them."""

from dataclasses import replace

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.datasets.clips import Label
from components.evaluation.folds import beside_the_best, clips_of_fold, joined, pair_folds, summarise_folds
from components.evaluation.settings import BootstrapSettings
from components.models.fold_table import Said, fold_columns, fold_rows, said_of_folds

CLASSES = ("calm", "fight")
CLIPS = [f"clip{i:02d}" for i in range(24)]
LABELS = {clip: Label(clip, CLASSES[i % 2], (), f"film{i // 2}", "train", "") for i, clip in enumerate(CLIPS)}
FOLDS = {clip: i // 2 % 3 for i, clip in enumerate(CLIPS)}
SETTINGS = BootstrapSettings(200)


def said(fold: int, seed: int, wrong: set[str]) -> Said:
    """A model of one fold, wrong on some clips; the clips of the next fold are its validation side."""
    val, test = ([clip for clip in CLIPS if FOLDS[clip] == k % 3] for k in (fold + 1, fold))
    clips = [*val, *test]
    truth = np.array([CLASSES.index(LABELS[clip].label) for clip in clips])
    predicted = np.where([clip in wrong for clip in clips], 1 - truth, truth)
    probabilities = np.where(np.eye(2)[predicted] > 0, 0.9, 0.1)
    sides = ["val"] * len(val) + ["test"] * len(test)
    return Said(f"fold-{fold}", seed, clips, sides, predicted, probabilities, probabilities)


def parts(wrong: set[str], seeds=(1, 2)):
    return [
        (seed, clips_of_fold(said(fold, seed, wrong), LABELS, CLASSES)) for fold in range(3) for seed in seeds
    ]


def test_the_table_gives_back_what_was_said():
    told = [said(0, 1, {"clip00"}), said(1, 1, set()), said(0, 2, set())]
    written = [row for one in told for row in fold_rows(one, CLASSES)]
    rows = [{key: "" if value is None else str(value) for key, value in row.items()} for row in written]
    assert set(rows[0]) == set(fold_columns(CLASSES))
    for found, given in zip(said_of_folds(rows, CLASSES), told, strict=True):
        assert (found.split, found.seed, found.clip_ids, found.sides) == (
            *(given.split, given.seed, given.clip_ids, given.sides),
        )
        np.testing.assert_array_equal(found.predicted, given.predicted)
        np.testing.assert_array_equal(found.probabilities, given.probabilities)
        assert found.scores is None


def test_scores_of_anomalies_come_back_without_probabilities():
    given = replace(said(0, 1, set()), probabilities=np.full((16, 2), np.nan), scores=np.linspace(0, 3, 16))
    rows = [
        {key: "" if value is None else str(value) for key, value in row.items()}
        for row in fold_rows(given, CLASSES)
    ]
    assert {row["p_calm"] for row in rows} == {""}
    (found,) = said_of_folds(rows, CLASSES)
    np.testing.assert_array_equal(found.scores, given.scores)
    assert np.isnan(found.probabilities).all()
    metrics = summarise_folds([(1, clips_of_fold(found, LABELS, CLASSES))], SETTINGS)["metrics"]
    assert metrics["accuracy"]["value"] == 1.0
    assert metrics["roc_auc"]["value"] is not None


def test_all_folds_together_test_every_clip_once_per_seed():
    found = summarise_folds(parts({"clip00", "clip01", "clip02"}), SETTINGS)
    assert (found["folds"], found["seeds"], found["n"], found["n_groups"]) == (3, [1, 2], 24, 12)
    accuracy = found["metrics"]["accuracy"]
    assert accuracy["value"] == pytest.approx(21 / 24)
    by_fold = [6 / 8, 6 / 8, 7 / 8, 7 / 8, 1, 1]
    assert accuracy["mean"] == pytest.approx(np.mean(by_fold))
    assert accuracy["spread"] == pytest.approx(np.std(by_fold, ddof=1))
    assert accuracy["low"] < 21 / 24 < accuracy["high"]
    assert [part["n"] for part in found["parts"]] == [8] * 6


def test_clips_under_one_seed_are_not_taken_for_more_clips():
    one, both = (summarise_folds(parts({"clip00", "clip05"}, seeds), SETTINGS) for seeds in ((1,), (1, 2)))
    assert one["metrics"]["accuracy"] == pytest.approx(both["metrics"]["accuracy"], abs=0.2)
    assert one["metrics"]["accuracy"]["low"] == both["metrics"]["accuracy"]["low"]


def test_clips_that_seeds_have_on_unlike_val_sides_are_counted_once():
    sides = [
        (seed, clips_of_fold(said(fold, seed, set()), LABELS, CLASSES, "val"))
        for fold, seed in ((0, 1), (0, 2), (1, 2))
    ]
    found = summarise_folds(sides, SETTINGS)
    assert (found["n"], found["n_groups"]) == (16, 8)


def test_the_best_stands_beside_all_others_and_ties_are_said():
    models = {"good": parts({"clip00"}), "close": parts({"clip00", "clip05"}), "bad": parts(set(CLIPS[:22]))}
    found = {row["second"]: row for row in beside_the_best(models, SETTINGS)}
    assert {row["first"] for row in found.values()} == {"good"}
    assert found["close"]["tie"]
    assert not found["bad"]["tie"]
    assert found["bad"]["difference"] == pytest.approx(21 / 24)
    assert all(row["p_holm"] >= row["p_sign_flip"] for row in found.values())


def test_the_best_is_chosen_among_all_pairs():
    """Which model is best was seen on the same clips, so the pairs without it count too."""
    models = {"good": parts(set()), "bad": parts(set(CLIPS)), "worse": parts(set(CLIPS))}
    for row in beside_the_best(models, SETTINGS):
        assert row["p_holm"] == pytest.approx(3 * row["p_sign_flip"])


def test_folds_of_other_clips_are_not_paired():
    with pytest.raises(BadDataError, match="48 and 24 clips that do not match"):
        pair_folds(parts(set()), parts(set(), seeds=(1,)))


def test_a_clip_without_label_is_refused():
    with pytest.raises(BadDataError, match=r"folds\.csv has clip04, which has no label"):
        clips_of_fold(said(2, 1, set()), {k: v for k, v in LABELS.items() if k != "clip04"}, CLASSES)


def test_items_are_in_the_order_of_seed_and_clip():
    scored = joined(list(reversed(parts(set()))))
    truth = [CLASSES.index(LABELS[clip].label) for clip in CLIPS]
    assert scored.labels.tolist() == truth * 2


def test_clips_are_ranked_among_those_of_the_same_model():
    """Each fold's model ranks without a mistake, at a level of its own; together they would not."""
    told = []
    for fold in range(3):
        one = said(fold, 1, set())
        truth = np.array([CLASSES.index(LABELS[clip].label) for clip in one.clip_ids])
        second = 0.1 + 0.3 * fold + 0.05 * truth
        probabilities = np.stack([1 - second, second], axis=1)
        told.append((1, clips_of_fold(replace(one, probabilities=probabilities), LABELS, CLASSES)))
    assert summarise_folds(told, SETTINGS)["metrics"]["roc_auc"]["value"] == 1.0
    constant = [
        (seed, replace(part, probabilities=np.full((len(part.labels), 2), 0.5))) for seed, part in told
    ]
    found = summarise_folds(constant, SETTINGS)["metrics"]["roc_auc"]
    assert (found["value"], found["low"], found["high"], found["spread"]) == (0.5, 0.5, 0.5, 0.0)
