import numpy as np
import pytest

from components.features.views import View
from components.models.registry import definition_of
from components.training.bundling import calibrate, describe
from components.training.learn import Learned
from components.training.settings import TrainSettings
from components.training.task import Task
from components.training.usefulness import signs_of_nothing

VIEW = View(sampling="one", height=2, width=2, background="keep")
LABELS = np.array([0, 0, 0, 1])


def _raw(positive):
    return np.stack([1 - np.array(positive), np.array(positive)], axis=1)


@pytest.mark.parametrize(
    ("positive", "signs"),
    [
        pytest.param([0.3, 0.3, 0.3, 0.3], ["the same of every", "not above"], id="constant"),
        pytest.param([0.1, 0.9, 0.2, 0.8], ["not above"], id="chance"),
        pytest.param([0.1, 0.2, 0.2, 0.8], [], id="useful"),
    ],
)
def test_signs_are_logged_and_given(positive, signs, caplog):
    raw = _raw(positive)
    found = signs_of_nothing("fusion", raw, raw.argmax(axis=1), LABELS)
    assert len(found) == len(signs)
    for sign, text in zip(signs, found, strict=True):
        assert sign in text
        assert text in caplog.text


def _warnings(model_id, settings, raw, labels, calibration="platt"):
    """What the bundle of a model says that answered validation clips so."""
    rows, seen = np.arange(len(labels)), np.zeros((len(labels), 1, 2, 2, 3), np.uint8)
    task = Task(
        model_id=model_id,
        definition=definition_of(model_id),
        settings=definition_of(model_id).settings(**settings),
        training=TrainSettings(calibration=calibration),
        classes=("calm", "fight"),
        streams=dict.fromkeys(definition_of(model_id).streams, seen),
        train_rows=rows,
        val_rows=rows,
        labels=labels,
    )
    learned = Learned({}, [], {}, {}, raw)
    said = describe(task, learned, view_name="v", view=VIEW, chain={}, scaler=None, digests={})
    return calibrate(said, task, learned, seen, None).training["warnings"]


def test_calibrated_answers_are_judged_not_raw_ones():
    labels = np.repeat([0, 1], 20)
    raw = _raw(np.concatenate([np.linspace(0.05, 0.15, 20), np.linspace(0.25, 0.4, 20)]))
    assert _warnings("lrcn", {}, raw, labels) == []
    (sign,) = _warnings("lrcn", {}, raw, labels, "none")
    assert "0.500 is not above the larger class's 0.500" in sign


def test_the_counting_rule_is_judged_not_the_mean_of_frames():
    runs, apart = [0.9, 0.9, 0.1, 0.1, 0.1, 0.1], [0.9, 0.1, 0.9, 0.1, 0.7, 0.1]
    raw = np.stack([_raw(one) for one in (runs, runs, apart, apart)])
    settings = {"weights": "none", "min_count": 2}
    assert _warnings("inception_rule", settings, raw, np.array([1, 1, 0, 0])) == []
