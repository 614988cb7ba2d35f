"""What the counting rule makes of the probabilities of frames is the verdict on the clip."""

from types import SimpleNamespace

import numpy as np
import pytest

from components.core.errors import UsageError
from components.features.focused_bag import Focus
from components.features.views import View
from components.models.bundle import Bundle
from components.models.calibration import Calibration
from components.models.inception_rule import InceptionRuleSettings, verdict
from components.models.registry import definition_of

RULE = InceptionRuleSettings(min_count=2)
CALM, SURE = [0.6, 0.4, 0.0], [0.1, 0.9, 0.0]
OTHER, UNSURE = [0.0, 0.1, 0.9], [0.3, 0.7, 0.0]


@pytest.mark.parametrize(
    ("frames", "predicted"),
    [
        pytest.param([CALM, SURE, SURE, CALM, CALM], 1, id="two that follow one another"),
        pytest.param([SURE, CALM, SURE, CALM, SURE], 0, id="none that do"),
        pytest.param([UNSURE] * 5, 0, id="likely, and not likely enough"),
        pytest.param([SURE, SURE, CALM, OTHER, OTHER, OTHER], 2, id="the longest alarm names the class"),
        pytest.param([SURE, SURE, CALM, OTHER, OTHER], 1, id="the first of equally long ones"),
        pytest.param([[0.9, 0.1, 0.0]] * 5, 0, id="normal, however sure"),
    ],
)
def test_the_rule_judges_the_clip(frames, predicted):
    assert verdict(RULE, np.array([frames, [CALM] * len(frames)])).tolist() == [predicted, 0]


def test_a_bundle_says_what_the_rule_says():
    """The mean of the first clip is below one half, and two sure frames follow one another."""
    info = SimpleNamespace(
        model_id="inception_rule",
        settings={"min_count": 2},
        classes=("calm", "fight"),
        calibration=Calibration(),
        threshold=0.5,
    )
    positive = np.array([[0.9, 0.9, 0.0, 0.0], [0.7, 0.7, 0.7, 0.7]])
    said = Bundle(info, {}).of_raw(np.stack([1 - positive, positive], axis=-1))
    assert said.predicted.tolist() == [1, 0]
    np.testing.assert_allclose(said.clip[:, 1], [0.45, 0.7])
    assert said.frames.shape == (2, 4, 2)


def test_frames_that_do_not_follow_one_another_are_refused():
    view = View(sampling="all", height=75, width=75, background="keep", focus=Focus())
    with pytest.raises(UsageError, match=r"counts frames that follow .* remove focus from views\.bag"):
        definition_of("inception_rule").check_view("bag", view)
