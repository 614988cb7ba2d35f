"""Inside models: the last layer's inputs give the logits, and frames held still give the same answers."""

import numpy as np
import pytest

from components.models.inner import Inner
from components.models.logits import to_probabilities

ROWS = np.array([7, 2, 11])


def streams(clips):
    return {"frames": clips.frames, "numbers": clips.numbers, "activations": clips.activations}


def asked(bundle, clips, numbers=None):
    given = clips.numbers[ROWS] if numbers is None else numbers
    return bundle.predict(clips.frames[ROWS], given, activations=clips.activations[ROWS])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("fusion", id="two streams"),
        pytest.param("lrcn", id="frames alone"),
    ],
)
def test_the_last_layer_makes_logits_of_its_inputs(trained, clips, name):
    bundle = trained[name].bundle
    found = Inner(bundle, streams(clips)).last_inputs(ROWS)
    logits = found @ bundle.arrays["logits/kernel"] + bundle.arrays["logits/bias"]
    np.testing.assert_allclose(to_probabilities(logits), asked(bundle, clips).raw, atol=1e-5)


@pytest.mark.parametrize("name", ["fusion", "vgg16_mlp", "logistic"])
def test_answers_beside_held_frames_are_the_models(trained, clips, name):
    bundle = trained[name].bundle
    ask = Inner(bundle, streams(clips)).beside_frames(ROWS)
    exchanged = clips.numbers[ROWS[::-1]] * 1.1
    for numbers in (clips.numbers[ROWS], exchanged):
        said, wanted = ask(numbers), asked(bundle, clips, numbers)
        np.testing.assert_allclose(said.clip, wanted.clip, atol=1e-5)
    if name == "logistic":
        assert np.abs(asked(bundle, clips).clip - asked(bundle, clips, exchanged).clip).max() > 1e-3


@pytest.mark.parametrize("name", ["vgg16_mlp"])
def test_features_of_a_classifier_of_frames_are_the_mean_over_them(trained, clips, name):
    inner = Inner(trained[name].bundle, streams(clips))

    def of_frame(k):
        still = {stream: np.repeat(array[:, k : k + 1], 3, axis=1) for stream, array in inner.streams.items()}
        return Inner(trained[name].bundle, still).last_inputs(ROWS)

    np.testing.assert_allclose(
        inner.last_inputs(ROWS), np.mean([of_frame(k) for k in range(3)], axis=0), rtol=1e-4
    )


@pytest.mark.parametrize(
    ("name", "is_network", "has_classifier", "width"),
    [
        pytest.param("fusion", True, True, None, id="a classifier"),
        pytest.param("logistic", False, False, 3 * 29, id="in closed form"),
        pytest.param("majority", False, False, 0, id="looks at nothing"),
        pytest.param("conv_autoencoder", True, False, None, id="a scorer of anomalies"),
    ],
)
def test_what_a_model_has_inside(trained, clips, name, is_network, has_classifier, width):
    inner = Inner(trained[name].bundle, streams(clips))
    assert (inner.is_network, inner.has_classifier) == (is_network, has_classifier)
    assert (inner.multiply_adds > 0) is is_network
    if width is not None:
        assert inner.given(ROWS).shape == (3, width)
        assert np.isfinite(inner.given(ROWS)).all()
