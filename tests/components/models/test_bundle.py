"""Bundles: what is refused, and what travels with the weights."""

import json

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.core.files import write_json
from components.features.scaler import Scaler
from components.features.views import View
from components.models.base import InputShapes
from components.models.bundle import Bundle, BundleInfo, read_bundle, write_bundle
from components.models.calibration import Calibration


def _info(**changes):
    values = {
        "model_id": "logistic",
        "settings": {"c": 1.0},
        "classes": ("walk", "stalk"),
        "view_name": "numbers",
        "view": View(sampling="five", numbers=True),
        "shapes": InputShapes(numbers=(5, 29)),
        "scaler": Scaler(np.full(29, 2.0), np.full(29, 4.0), np.full(29, 9)),
        "calibration": Calibration(),
        "threshold": 0.5,
        "parameters": 146,
        "chain": {"samplings": {"five": {"kind": "uniform", "frames": 5}}},
        "training": {"cut_short": False},
        "digests": {"data": "d"},
    }
    return BundleInfo(**{**values, **changes})


ARRAYS = {"kernel": np.full((145, 1), 0.01), "bias": np.array([0.25])}


@pytest.fixture
def folder(tmp_path):
    write_bundle(tmp_path / "bundle", _info(), ARRAYS)
    return tmp_path / "bundle"


def test_the_scaler_and_the_filling_travel_along(folder):
    numbers = np.full((2, 5, 29), 6.0, np.float32)  # (6 - 2) / 4 = 1 each
    numbers[1] = np.nan  # the mean: 0 each
    odds = np.array([145 * 0.01 + 0.25, 0.25])
    said = read_bundle(folder).predict(None, numbers)
    np.testing.assert_allclose(said.raw[:, 1], 1 / (1 + np.exp(-odds)))
    np.testing.assert_array_equal(said.clip, said.raw)


def test_calibration_is_applied_to_clips_and_kept_apart_from_raw(tmp_path):
    write_bundle(tmp_path, _info(calibration=Calibration("platt", 2.0, -1.0, 48)), ARRAYS)
    said = read_bundle(tmp_path).predict(None, np.full((1, 5, 29), np.nan, np.float32))
    assert said.raw[0, 1] == pytest.approx(1 / (1 + np.exp(-0.25)))
    assert said.clip[0, 1] == pytest.approx(1 / (1 + np.exp(-(2 * 0.25 - 1))))


def test_equal_bundles_are_equal_bytes(tmp_path):
    for name in ("one", "other"):
        write_bundle(tmp_path / name, _info(), dict(reversed(ARRAYS.items())))
    one, other = (
        [path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("one", "other")
    )
    assert one == other


def test_the_digest_changes_with_the_weights(tmp_path):
    one = write_bundle(tmp_path / "one", _info(), ARRAYS)
    other = write_bundle(tmp_path / "other", _info(), {**ARRAYS, "bias": np.array([0.26])})
    assert one.digest != other.digest


def test_a_weight_too_many_or_too_few_names_it(trained):
    bundle = trained["convlstm"].bundle
    from components.models.networks import build_network, put_weights

    network = build_network(
        "convlstm", bundle.definition, trained["convlstm"].task.settings, bundle.info.shapes, 2
    )
    fewer = {path: array for path, array in bundle.arrays.items() if path != "logits/bias"}
    with pytest.raises(BadDataError, match="logits/bias has the shape of a weight that is missing"):
        put_weights(network, fewer)
    with pytest.raises(BadDataError, match="The weight stray has the shape"):
        put_weights(network, {**bundle.arrays, "stray": np.zeros(3)})


def _edit(folder, change):
    values = json.loads((folder / "bundle.json").read_text())
    change(values)
    write_json(folder / "bundle.json", values)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(
            lambda f: (f / "bundle.json").unlink(), r"bundle\.json is not there", id="no description"
        ),
        pytest.param(lambda f: (f / "weights.npz").unlink(), r"weights\.npz cannot be used", id="no weights"),
        pytest.param(lambda f: (f / "weights.npz").write_bytes(b"x"), "other weights", id="other weights"),
        pytest.param(lambda f: (f / "bundle.json").write_text("{"), "is not JSON", id="half a description"),
        pytest.param(
            lambda f: _edit(f, lambda v: v.update(schema_version=99)), "schema_version is 99", id="newer"
        ),
        pytest.param(lambda f: _edit(f, lambda v: v.pop("classes")), "KeyError 'classes'", id="no classes"),
        pytest.param(
            lambda f: _edit(f, lambda v: v["view"].update(colour="red")), "view.colour", id="stranger"
        ),
    ],
)
def test_a_damaged_bundle_is_refused(damage, message, folder):
    damage(folder)
    with pytest.raises(BadDataError, match=message):
        read_bundle(folder)


def test_nothing_is_unpickled(folder):
    np.savez(folder / "weights.npz", kernel=np.array([{"a": 1}], dtype=object))
    _seal(folder)
    with pytest.raises(BadDataError, match="cannot be read"):
        read_bundle(folder)


def _seal(folder):
    from components.core.files import file_sha256

    _edit(folder, lambda v: v.update(weights_sha256=file_sha256(folder / "weights.npz")))


@pytest.mark.parametrize(
    ("frames", "numbers", "message"),
    [
        pytest.param(None, None, "numbers of shape None", id="nothing"),
        pytest.param(None, np.zeros((1, 4, 29), np.float32), r"\(4, 29\) per clip", id="four frames"),
        pytest.param(None, np.full((1, 5, 29), np.nan, np.float32), None, id="all missing is fine"),
    ],
)
def test_inputs_are_checked(frames, numbers, message, folder):
    bundle = read_bundle(folder)
    if message is None:
        assert np.isfinite(bundle.predict(frames, numbers).clip).all()
    else:
        with pytest.raises(BadDataError, match=message):
            bundle.predict(frames, numbers)


def test_answers_that_are_no_numbers_are_refused(tmp_path):
    write_bundle(tmp_path, _info(), {**ARRAYS, "bias": np.array([np.nan])})
    with pytest.raises(BadDataError, match="no numbers"):
        read_bundle(tmp_path).predict(None, np.zeros((1, 5, 29), np.float32))


@pytest.mark.parametrize(
    ("model_id", "t", "sizes"),
    [
        pytest.param("vgg16", 20, [80, 80, 20], id="frames"),  # four clips at a time
        pytest.param("convlstm", 20, [4, 4, 1], id="clips"),
        pytest.param("vgg16", 100, [100] * 9, id="a long clip"),
    ],
)
def test_as_many_clips_at_a_time_as_have_so_many_frames(model_id, t, sizes):
    view = View(sampling="many", height=2, width=2)
    shapes = InputShapes(frames=(t, 2, 2, 3))
    bundle, asked = (
        Bundle(_info(model_id=model_id, settings={}, view=view, shapes=shapes, scaler=None), {}),
        [],
    )

    def logits(inputs, n):
        asked.append(len(inputs["frames"]))
        return np.zeros((n, 1))

    vars(bundle)["_logits"] = logits  # the model itself has no part in it
    bundle.predict(np.zeros((9, t, 2, 2, 3), np.uint8), None)
    assert asked == sizes
