"""Scorers of anomalies: they learn from normal clips, give scores and no probabilities."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from sklearn.svm import OneClassSVM

from components.core.errors import UsageError
from components.features.scaler import Scaler
from components.features.views import View
from components.models import conv_autoencoder, mil_ranking, one_class_svm, stae
from components.models.base import InputShapes, TrainSide
from components.models.bundle import read_bundle, write_bundle
from components.models.conv_autoencoder import ConvAutoencoderSettings
from components.models.mil_ranking import MILRankingSettings
from components.models.one_class_svm import OneClassSVMSettings
from components.models.registry import definition_of
from components.models.stae import STAESettings
from components.training.bundling import calibrate, describe
from components.training.learn import learn
from components.training.observer import Unwatched
from components.training.settings import TrainSettings
from tests.components.models.conftest import make_clips, make_task

SHAPES = InputShapes(frames=(3, 48, 48, 3))
SMALL = {
    "stae": STAESettings(filters=2, temporal_filters=(2, 2)),
    "conv_autoencoder": ConvAutoencoderSettings(filters=(4, 4, 4)),
    "one_class_svm": OneClassSVMSettings(nu=0.2),
}


@pytest.mark.parametrize(
    ("build", "settings", "frames"),
    [
        pytest.param(stae.build, SMALL["stae"], 3, id="reconstruct"),
        pytest.param(stae.build, STAESettings("predict_next", 2, 3, (2, 2)), 2, id="predict_next"),
        pytest.param(conv_autoencoder.build, SMALL["conv_autoencoder"], 3, id="conv_autoencoder"),
    ],
)
def test_an_error_for_every_frame(build, settings, frames):
    network = build(settings, SHAPES, 2)
    pixels = np.random.default_rng(1).integers(0, 255, (2, 3, 48, 48, 3), dtype=np.uint8)
    errors = np.asarray(network(pixels))
    assert errors.shape == (2, frames)
    assert (errors > 0).all()


def test_the_error_is_that_of_grey_frames():
    network = stae.build(SMALL["stae"], SHAPES, 2)
    rebuilt = network.get_layer("rebuilt")
    rebuilt.kernel.assign(np.zeros(rebuilt.kernel.shape))
    pixels = np.random.default_rng(1).integers(0, 255, (1, 3, 48, 48, 3), dtype=np.uint8)
    grey = pixels / 255 @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(network(pixels)[0], (grey[0] ** 2).mean(axis=(1, 2)), rtol=1e-5)


def test_the_next_frame_is_told_from_those_before_it():
    keras.utils.set_random_seed(1)
    network = stae.build(STAESettings("predict_next", 2, 3, (2, 2)), SHAPES, 2)
    pixels = np.random.default_rng(1).integers(0, 255, (1, 3, 48, 48, 3), dtype=np.uint8)
    other = pixels.copy()
    other[:, 2] = 0
    changed = np.asarray(network(pixels) != network(other))[0]
    assert changed.tolist() == [False, True]


@pytest.mark.parametrize("name", ["stae", "conv_autoencoder"])
def test_sides_that_pooling_does_not_give_back_are_refused(name):
    with pytest.raises(UsageError, match="frames of 47 x 49"):
        definition_of(name).build(SMALL[name], InputShapes(frames=(3, 49, 47, 3)), 2)


@pytest.mark.parametrize(("how", "wanted"), [("mean", [1.5, 2.0]), ("max", [2.0, 3.0])])
def test_a_clips_score_follows_from_its_frames(how, wanted):
    errors = np.array([[1.0, 4.0], [1.0, 9.0]])
    score = definition_of("stae").clip_score
    assert score(STAESettings(clip_score=how), errors).tolist() == wanted


def test_one_class_svm_scores_as_scikit_learn_does():
    rng = np.random.default_rng(3)
    numbers, strange = rng.normal(0, 1, (30, 2, 29)), rng.normal(4, 1, (5, 2, 29))
    side = TrainSide({"numbers": numbers}, np.zeros(30, int), np.ones(30), 2)
    arrays = one_class_svm.fit(SMALL["one_class_svm"], side)
    scores = one_class_svm.scores(arrays, {"numbers": strange}, 5)
    oracle = OneClassSVM(nu=0.2, gamma="scale").fit(numbers.reshape(30, -1))
    np.testing.assert_allclose(scores[:, 0], -oracle.decision_function(strange.reshape(5, -1)), atol=1e-9)


@pytest.fixture(scope="module", params=sorted(SMALL))
def scorer(request, tmp_path_factory):
    """A trained scorer and its clips, of which the second class is brighter and has larger numbers."""
    clips = make_clips(n=24)
    task = make_task(request.param, clips, SMALL[request.param], TrainSettings(batch=4, epochs=2))
    learned = learn(task, None, Unwatched())
    scaler = (
        Scaler(np.full(29, 500.0), np.full(29, 40.0), np.full(29, 36)) if "numbers" in task.streams else None
    )
    view = View(sampling="three", height=48, width=48, background="keep", numbers=True)
    info = describe(
        task, learned, view_name="v", view=view, chain={"segment": {}}, scaler=scaler, digests={"data": "d"}
    )
    info = calibrate(info, task, learned, clips.frames, clips.numbers)
    folder = tmp_path_factory.mktemp("scorer")
    write_bundle(folder, info, learned.arrays)
    return task, learned, read_bundle(folder), clips


def test_it_gives_scores_and_no_probabilities(scorer):
    _, _, bundle, clips = scorer
    said = bundle.predict(clips.frames, clips.numbers)
    assert said.scores.shape == (24,)
    assert len(said.frame_scores) == 24
    assert np.isnan(said.clip).all()
    assert said.frames is None
    assert (said.predicted == (said.scores >= bundle.info.threshold)).all()


def test_a_frames_score_is_that_of_a_clip_of_it_alone(scorer):
    """So the threshold, which is of clips, can be held against it."""
    _, _, bundle, clips = scorer
    said = bundle.predict(clips.frames, clips.numbers)
    np.testing.assert_allclose(said.frame_scores.mean(axis=1), said.scores)


def test_nobody_is_scored_without_an_error(scorer):
    _, _, bundle, clips = scorer
    said = bundle.predict(clips.frames, clips.numbers, rows=[])
    assert (len(said.scores), len(said.predicted)) == (0, 0)


def test_its_description_counts_the_clips_that_it_learned_from(scorer):
    task, _, bundle, clips = scorer
    normal = int((clips.labels[task.train_rows] == 0).sum())
    assert bundle.info.training["train_clips"] == normal < len(task.train_rows)


def test_the_threshold_passes_by_normal_clips_of_the_train_side(scorer):
    task, _, bundle, clips = scorer
    normal = task.train_rows[clips.labels[task.train_rows] == 0]
    scores = bundle.predict(clips.frames, clips.numbers, normal).scores
    assert bundle.info.threshold == pytest.approx(np.quantile(scores, 0.95))
    assert "no probabilities" in bundle.info.calibration.reason


def test_other_clips_than_normal_ones_have_no_say(scorer):
    task, learned, _, clips = scorer
    changed = {name: tensor.copy() for name, tensor in task.streams.items()}
    for tensor in changed.values():
        tensor[clips.labels == 1] = 0
    again = learn(replace(task, streams=changed), None, Unwatched())
    for name, array in learned.arrays.items():
        np.testing.assert_array_equal(array, again.arrays[name])


def test_the_history_speaks_of_no_accuracy(scorer):
    _, learned, _, _ = scorer
    assert {row["accuracy"] for row in learned.history} <= {None}
    assert all(row["val_loss"] is not None for row in learned.history)


@pytest.mark.parametrize(
    ("labels", "highest", "loss"),
    [
        pytest.param([1, 0], [0.9, 0.2], 0.3, id="told apart"),
        pytest.param([1, 0], [0.2, 0.9], 1.7, id="the wrong way round"),
        pytest.param([1, 1, 0], [1.0, 0.5, 0.0], 0.25, id="the mean over pairs"),
        pytest.param([0, 0], [0.2, 0.9], 0.0, id="nothing to rank"),
    ],
)
def test_ranking_looks_at_the_highest_score_of_a_bag(labels, highest, loss):
    scores = np.stack([np.zeros(len(highest)), highest], axis=1).astype(np.float32)
    free = MILRankingSettings(weights="none", constraints=False)
    found = np.asarray(mil_ranking.ranking_loss(free, np.array(labels), scores))
    assert found == pytest.approx(np.full(len(labels), loss))


@pytest.mark.parametrize(
    ("labels", "asked"),
    [
        pytest.param([1, 0, 0], 0.2**2 + 0.7**2 + 1.4, id="of the abnormal bag alone"),
        pytest.param([1, 1, 0], (0.2**2 + 0.7**2 + 1.4 + 0.1**2 + 0.1**2 + 1.6) / 2, id="the mean over them"),
        pytest.param([0, 0, 0], 0.0, id="of normal bags nothing"),
    ],
)
def test_constraints_ask_for_few_and_smooth_scores_of_abnormal_bags(labels, asked):
    """Equation 7 of Sultani et al.: squared changes and the sum of scores, 8e-5 of each."""
    scores = np.array([[0.1, 0.3, 1.0], [0.5, 0.6, 0.5], [0.9, 0.0, 0.9]], np.float32)
    settings = MILRankingSettings(weights="none", constraints=True)
    with_them, without = (
        np.asarray(mil_ranking.ranking_loss(replace(settings, constraints=on), np.array(labels), scores))
        for on in (True, False)
    )
    np.testing.assert_allclose(with_them - without, 8e-5 * np.full(3, asked), atol=1e-7)
