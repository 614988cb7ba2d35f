"""Variations: what a command line asks for, as checked parameters."""

from dataclasses import replace

import pytest

from components.core.errors import UsageError
from pipelines.params import read_params
from pipelines.variations import read_variations
from tests.pipelines.test_train import PARAMS


@pytest.fixture
def params(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    return read_params(tmp_path)


def test_every_combination_in_the_order_asked_for(params):
    over = ["dense_units=8,16", "train.optimizer=adam,sgd", "share=0.5,1.0"]
    found = read_variations(params, "fusion", over)
    assert len(found) == 8
    assert [dict(one.settings) for one in found[:3]] == [
        {"dense_units": "8", "train.optimizer": "adam", "share": "0.5"},
        {"dense_units": "8", "train.optimizer": "adam", "share": "1.0"},
        {"dense_units": "8", "train.optimizer": "sgd", "share": "0.5"},
    ]
    last = found[-2]
    assert last.params.models["fusion"] == {
        "view": "small",
        "runs_on": "cpu",
        "dense_units": 16,
        "filters": [2, 2],
        "train": {"max_steps": 3, "optimizer": "sgd"},
    }
    assert last.share == 0.5
    assert last.params.models["logistic"] == params.models["logistic"]
    assert params.models["fusion"]["train"] == {"max_steps": 3}


@pytest.mark.parametrize(
    ("over", "values"),
    [
        pytest.param("filters=[2, 2],[4, 4]", ["[2, 2]", "[4, 4]"], id="lists"),
        pytest.param("train.max_steps=null,5", ["null", "5"], id="none"),
        pytest.param("train.learning_rate=1e-3,0.01", ["1e-3", "0.01"], id="numbers"),
    ],
)
def test_values_are_yaml(params, over, values):
    assert [list(one.settings.values()) for one in read_variations(params, "fusion", [over])] == [
        [value] for value in values
    ]


@pytest.mark.parametrize(
    ("model", "over", "message"),
    [
        pytest.param("fusion", ["units=1"], r"models\.fusion\.units is not known", id="unknown setting"),
        pytest.param(
            "fusion", ["train.epoch=2"], r"models\.fusion\.train\.epoch is not known", id="unknown train key"
        ),
        pytest.param(
            "fusion", ["train.optimizer=adm"], r"train\.optimizer is 'adm'.*adam", id="unknown value"
        ),
        pytest.param("fusion", ["train.batch=0"], r"train\.batch is 0", id="value out of range"),
        pytest.param("fusion", ["dense_units.a=1"], r"dense_units is \{'a': 1\}", id="no section"),
        pytest.param("vgg16", ["dropout=0.1"], "Model `vgg16` is not enabled", id="model not enabled"),
        pytest.param("fusion", ["view=small,numbers"], "--over view=.*change view", id="the view"),
        pytest.param("fusion", ["share=0,0.5"], "shares above 0 and up to 1", id="no share"),
        pytest.param("fusion", ["share=true"], "shares above 0 and up to 1", id="share of a switch"),
        pytest.param("fusion", ["dense_units=8,8"], "different values", id="a value twice"),
        pytest.param("fusion", ["share=0.5", "share=1"], "share once", id="a setting twice"),
        pytest.param("fusion", ["dense_units"], "name=value,value", id="no values"),
        pytest.param("fusion", ["dense_units=[1"], "name=value,value", id="no YAML"),
        pytest.param("fusion", [], "nothing to vary", id="nothing"),
        pytest.param(
            "logistic",
            ["train.epochs=1,2"],
            r"models\.logistic\.train\.epochs, and logistic is fitted at once.*only class_weights, ",
            id="steps of a model that takes none",
        ),
    ],
)
def test_what_does_not_fit_is_refused(params, model, over, message):
    with pytest.raises(UsageError, match=message):
        read_variations(params, model, over)


def test_a_backbone_that_wants_larger_frames_is_refused(params):
    models = {**params.models, "cnn_lstm": {"view": "small", "runs_on": "cpu", "weights": "none"}}
    with pytest.raises(UsageError, match=r"views\.small has frames of 48 x 48.*75 pixels or more a side"):
        read_variations(replace(params, models=models), "cnn_lstm", ["backbone=mobilenet_v2,inception_v3"])


def test_what_a_fit_in_closed_form_heeds_is_varied(params):
    assert len(read_variations(params, "logistic", ["train.calibration=platt,none"])) == 2


def test_the_seed_of_folds_is_not_varied(tmp_path):
    kfold = PARAMS.replace("protocol: {kind: holdout}", "protocol: {kind: kfold, folds: 2, seeds: [1]}")
    (tmp_path / "params.yaml").write_text(kfold)
    with pytest.raises(UsageError, match=r"train\.seed"):
        read_variations(read_params(tmp_path), "fusion", ["train.seed=1,2"])
