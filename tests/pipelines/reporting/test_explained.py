"""report: which models are explained, and what a section may ask of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from components.core.errors import ResourceError
from pipelines.reporting.explained import BUDGET, MOST_CLIPS, Explained, Models, attempt, thinned
from tests.pipelines.explained import compared, comparison, explained_project, predictions


@pytest.mark.parametrize(
    ("models", "challenger", "stream", "best"),
    [
        pytest.param({"logistic": 0.6, "fusion": 0.5}, "fusion", "numbers", "fusion", id="the challenger"),
        pytest.param({"logistic": 0.6, "convlstm": 0.5}, "convlstm", "numbers", "logistic", id="a baseline"),
        pytest.param({"vgg16": 0.6, "fusion": 0.7}, "tailwatch_net", "frames", "fusion", id="by validation"),
        pytest.param({"vgg16": None, "fusion": 0.1}, None, "frames", "fusion", id="undefined comes last"),
        pytest.param({"logistic": 0.9, "fusion": 0.1}, None, "numbers", "fusion", id="baselines come last"),
        pytest.param({"logistic": 0.6}, "logistic", "frames", None, id="none looks at it"),
    ],
)
def test_the_model_of_a_stream(models, challenger, stream, best):
    rows = [compared(name, value, is_baseline=name == "logistic") for name, value in models.items()]
    assert Models(None, comparison(models=rows, challenger=challenger)).best_with(stream) == best


@pytest.mark.parametrize(
    ("cost", "clips"),
    [
        pytest.param(0, MOST_CLIPS, id="in closed form"),
        pytest.param(1_000, MOST_CLIPS, id="cheap"),
        pytest.param(int(BUDGET) // 20, 20, id="dear"),
        pytest.param(int(BUDGET) * 2, 0, id="too dear for one clip"),
    ],
)
def test_what_a_section_may_ask(cost, clips):
    model = Explained(None, None, None, 0.5)
    model.__dict__["inner"] = SimpleNamespace(multiply_adds=cost)
    assert model.affordable == clips


def test_what_cannot_be_counted_is_not_asked():
    model = Explained(None, None, None, 0.5)
    model.__dict__["inner"] = SimpleNamespace(multiply_adds=None)
    with pytest.raises(ResourceError, match="cannot be counted"):
        _ = model.affordable


def test_a_model_is_opened_once_with_the_places_of_its_clips(tmp_path):
    models = explained_project(tmp_path)
    model = models.open("logistic")
    assert models.open("logistic") is model
    chosen = model.clips.where(np.array([7, 3]))
    assert model.rows(chosen).tolist() == [7, 3]


def test_a_failed_explanation_is_told(tmp_path):
    models = explained_project(tmp_path)
    found = attempt("majority", lambda: {"chart": models.open("majority")})
    assert found == {"model": "majority", "why_not": "there is no bundle in outs/train"}


@pytest.mark.parametrize(
    ("most", "kept"),
    [(9, list(range(9))), (5, [0, 2, 4, 6, 8]), (2, [0, 8]), (0, [])],
)
def test_clips_are_thinned_evenly(most, kept):
    found = thinned(predictions(np.linspace(0, 1, 9)), most)
    assert found.clip_ids.tolist() == [f"clip{k:02d}" for k in kept]
