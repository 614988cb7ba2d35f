import numpy as np
import pytest

from components.training.usefulness import signs_of_nothing

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
    found = signs_of_nothing("fusion", _raw(positive), LABELS)
    assert len(found) == len(signs)
    for sign, text in zip(signs, found, strict=True):
        assert sign in text
        assert text in caplog.text
