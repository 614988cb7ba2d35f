"""The Python API: a bundle, a video, a verdict."""

import faulthandler
import os
import tempfile
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from components.core.errors import BadDataError, UsageError
from components.features.views import View
from components.models.bundle import Predictions
from components.models.logits import decide
from components.models.registry import definition_of
from components.serving import clip_input
from components.serving.predictor import Scorer, load
from components.video import reader
from tests.video_factory import write_video


def test_a_video_is_scored_from_its_path_and_from_its_bytes(bundle_folder, film):
    scorer = load(bundle_folder)
    by_path, by_bytes = scorer.score(film), scorer.score(film.read_bytes())
    assert by_path == by_bytes
    assert by_path.label == "stalking"
    assert by_path.probability == pytest.approx(0.75)
    assert by_path.probabilities == pytest.approx({"non_stalking": 0.25, "stalking": 0.75})
    assert (by_path.threshold, by_path.model) == (0.6, "logistic")


def test_what_was_not_seen_is_said(bundle_folder, film):
    score = load(bundle_folder).score(film)
    assert score.coverage == 0.0
    assert score.warnings == ("only 0% of the faces' measurements could be made",)
    assert score.decoder["frames_decoded"] == 25


@pytest.mark.parametrize(
    ("rate", "looks_at", "warnings"),
    [
        pytest.param(
            5, "ten", ("slow video: it has 5 frames a second, fewer than the 10 of the model",), id="slow"
        ),
        pytest.param(Fraction(10000, 1001), "ten", (), id="nearly as fast"),
        pytest.param(5, "five", (), id="no rate is asked for"),
    ],
)
def test_a_video_slower_than_the_sampling_is_told(
    monkeypatch, bundle_folder, tmp_path, rate, looks_at, warnings
):
    bundle = load(bundle_folder).bundle
    samplings = {**bundle.info.chain["samplings"], "ten": {"kind": "dense", "per_second": 10}}
    pixels = View(sampling=looks_at, height=8, width=8, background="keep")
    told = {"chain": {**bundle.info.chain, "samplings": samplings}, "view": pixels}
    answer = np.array([[0.3, 0.7]])
    monkeypatch.setattr(
        bundle, "predict", lambda *_, **__: Predictions(decide(answer, 0.5), answer, answer, None)
    )
    monkeypatch.setattr(bundle, "info", SimpleNamespace(**{**vars(bundle.info), **told}))
    monkeypatch.setattr(bundle, "definition", definition_of("vgg16"))
    film = write_video(tmp_path / "film.mp4", 16, rate=rate)
    assert Scorer(bundle, "told").score(film).warnings == warnings


def test_what_a_killed_scoring_left_goes_with_the_next(bundle_folder, film, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "tailwatch-killed"
    left.mkdir()
    for name in (".owner", "upload"):
        (left / name).write_bytes(b"a face")
    load(bundle_folder).score(film.read_bytes())
    assert [*tmp_path.glob("tailwatch-*")] == []


def test_a_span_of_the_video(bundle_folder, film):
    score = load(bundle_folder).score(film, start_s=0.2, end_s=0.6)
    assert score.decoder["frames_decoded"] == 10


@pytest.mark.parametrize(
    ("video", "message"),
    [
        pytest.param("no/such.mp4", r"no/such\.mp4 is not there", id="missing"),
        pytest.param(b"", "upload", id="empty"),
        pytest.param(b"<html>not found</html>", "upload", id="a web page"),
    ],
)
def test_what_is_no_video_is_bad_data(bundle_folder, video, message):
    with pytest.raises(BadDataError, match=message):
        load(bundle_folder).score(video)


def test_a_film_that_ends_its_reader_is_bad_data(bundle_folder, film, monkeypatch, forked_workers):
    monkeypatch.setattr(reader, "read_clip", lambda *_, **__: (faulthandler.disable(), os.abort()))
    with pytest.raises(BadDataError, match=r"crashed its worker process \(signal 6, SIGABRT\)"):
        load(bundle_folder).score(film)


def test_a_trusted_film_is_read_here(bundle_folder, film, monkeypatch):
    monkeypatch.setattr(clip_input, "map_items", None)
    assert load(bundle_folder).score(film, trusted=True).label == "stalking"


def test_a_model_with_a_rule_says_when_it_sounds(monkeypatch, bundle_folder, film):
    """Four of five frames are sure; the rule asks for two that follow one another."""
    bundle = load(bundle_folder).bundle
    sure = np.array([0.9, 0.95, 0.1, 0.85, 0.85])
    frames, clip = np.stack([1 - sure, sure], axis=-1)[None], np.array([[0.3, 0.7]])
    given = Predictions(decide(clip, 0.5), clip, clip, frames)
    monkeypatch.setattr(bundle, "predict", lambda *_, **__: given)
    pixels = View(sampling="five", height=8, width=8, background="keep")
    of_rule = {"model_id": "inception_rule", "settings": {"min_count": 2}, "view": pixels}
    monkeypatch.setattr(bundle, "info", SimpleNamespace(**{**vars(bundle.info), **of_rule}))
    monkeypatch.setattr(bundle, "definition", definition_of("inception_rule"))
    first, second = Scorer(bundle, "told").score(film).alarms
    assert (first.label, first.percent, first.frames) == ("stalking", pytest.approx(95.0), 2)
    assert second.frames == 2
    assert 0 <= first.start_s < first.end_s < second.start_s < 1 < second.end_s < 1.1
    assert load(bundle_folder).score(film).alarms is None


def test_no_bundle(tmp_path):
    with pytest.raises(BadDataError, match=r"bundle\.json is not there"):
        load(tmp_path)


def test_no_such_model_in_mlflow(mlflow_project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{mlflow_project}/mlflow.db")
    with pytest.raises(UsageError, match="models:/tailwatch@champion is not there"):
        load("models:/tailwatch@champion")


@pytest.mark.parametrize(
    ("values", "label", "probability"),
    [
        pytest.param([0.41, 0.59], "non_stalking", 0.59, id="below the threshold"),
        pytest.param([0.4, 0.6], "stalking", 0.6, id="at the threshold"),
        pytest.param([0.2, 0.3, 0.5], "fight", 0.5, id="three classes: the most probable"),
    ],
)
def test_decision(monkeypatch, bundle_folder, film, values, label, probability):
    bundle = load(bundle_folder).bundle
    answer = np.array([values])
    given = Predictions(decide(answer, bundle.info.threshold), answer, answer, None)
    monkeypatch.setattr(bundle, "predict", lambda *_, **__: given)
    classes = ("non_stalking", "stalking", "fight")[: len(values)]
    monkeypatch.setattr(bundle, "info", SimpleNamespace(**{**vars(bundle.info), "classes": classes}))
    score = Scorer(bundle, "told").score(film)
    assert (score.label, score.probability) == (label, probability)
