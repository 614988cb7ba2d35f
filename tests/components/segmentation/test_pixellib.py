"""PixelLib's worker: the protocol and its failures with stand-ins, then the network with random weights."""

import io
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from components.core.errors import BadDataError, ResourceError, StorageError, UsageError
from components.core.files import file_sha256
from components.segmentation import pixellib
from components.segmentation.base import PixellibSettings, SegmentSettings, build_segmenter
from components.segmentation.pixellib import PixellibSegmenter
from components.segmentation.pixellib_worker import (
    ENVIRONMENT,
    NOT_RESTORED,
    PERSON,
    NotRestoredError,
    build_model,
    compare,
    join_persons,
    read_array,
    tensors_of_file,
    write_array,
)

FRAME = np.full((12, 16, 3), 90, np.uint8)
TENSORS = 690


@pytest.mark.parametrize(
    "array",
    [FRAME, np.zeros((0,), bool), np.array(690), np.arange(6.0).reshape(2, 3).T],
    ids=lambda a: str(a.shape),
)
def test_arrays_survive_the_pipe(array):
    pipe = io.BytesIO()
    write_array(pipe, array)
    pipe.seek(0)
    received = read_array(pipe)
    assert (received.dtype, received.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(received, array)
    assert read_array(pipe) is None


def test_a_message_cut_short_is_no_message():
    pipe = io.BytesIO()
    write_array(pipe, FRAME)
    assert read_array(io.BytesIO(pipe.getvalue()[:-1])) is None


def test_only_persons_are_joined():
    masks = np.zeros((4, 6, 3), bool)
    masks[0, :, 0], masks[1, :, 1], masks[2, :, 2] = True, True, True
    joined = join_persons({"class_ids": np.array([PERSON, 17, PERSON]), "masks": masks}, 4, 6)
    assert joined.any(axis=1).tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("class_ids", "masks"),
    [
        pytest.param([], np.zeros((0,)), id="as PixelLib's filter leaves it"),
        pytest.param([], np.zeros((4, 6, 0)), id="as the network leaves it"),
        pytest.param([17], np.ones((4, 6, 1), bool), id="a dog"),
    ],
)
def test_nobody_gives_an_empty_mask(class_ids, masks):
    joined = join_persons({"class_ids": np.array(class_ids), "masks": masks}, 4, 6)
    assert joined.shape == (4, 6)
    assert joined.dtype == bool
    assert not joined.any()


def _weights_file(path, layers, nested):
    with h5py.File(path, "w") as file:
        top = file.create_group("model_weights") if nested else file
        top.attrs["layer_names"] = [name.encode() for name in layers]
        for name, tensors in layers.items():
            group = top.create_group(name)
            group.attrs["weight_names"] = [f"{name}/w{k}:0".encode() for k in range(len(tensors))]
            for k, tensor in enumerate(tensors):
                group[f"{name}/w{k}:0"] = tensor
    return path


@pytest.mark.parametrize("nested", [False, True])
def test_all_tensors_are_compared_with_the_file(tmp_path, nested):
    layers = {"conv": [np.arange(4.0), np.ones(2)], "input": [], "bn": [np.zeros(3)]}
    path = _weights_file(tmp_path / "w.h5", layers, nested)
    assert compare(layers, tensors_of_file(path)) == 3


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        pytest.param({"conv": [np.ones(4)]}, "conv", id="weights left random"),
        pytest.param({"conv": [np.zeros(4)], "head": [np.ones(1)]}, "head", id="a layer that the file lacks"),
        pytest.param({"conv": [np.zeros(4), np.zeros(4)]}, "2 tensors of layer conv", id="a tensor more"),
        pytest.param({"conv": [np.zeros(5)]}, "conv", id="another shape"),
    ],
)
def test_a_model_that_is_not_the_files_is_refused(tmp_path, layers, message):
    path = _weights_file(tmp_path / "w.h5", {"conv": [np.zeros(4)]}, nested=False)
    with pytest.raises(NotRestoredError, match=message):
        compare(layers, tensors_of_file(path))


def test_the_model_is_not_built_under_keras_3(monkeypatch):
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    with pytest.raises(RuntimeError, match="TF_USE_LEGACY_KERAS=1"):
        build_model(None, None)


def test_without_weights_it_says_how_to_get_them():
    with pytest.raises(UsageError, match=r"no weights.*segment\.pixellib\.weights.*tailwatch weights"):
        PixellibSegmenter(SegmentSettings("pixellib")).mask(FRAME)


def test_a_missing_file_is_named(tmp_path):
    settings = SegmentSettings("pixellib", pixellib=PixellibSettings(str(tmp_path / "none.h5")))
    with pytest.raises(StorageError, match=r"none\.h5 is not there"):
        PixellibSegmenter(settings).mask(FRAME)


def test_a_wrong_file_is_refused_before_anything_is_started(tmp_path, monkeypatch):
    (tmp_path / "other.h5").write_bytes(b"not these")
    monkeypatch.setattr(subprocess, "Popen", None)
    settings = SegmentSettings("pixellib", pixellib=PixellibSettings(str(tmp_path / "other.h5")))
    with pytest.raises(BadDataError, match=r"other\.h5 has the sha256 .*ee7eeb918fe5"):
        PixellibSegmenter(settings).mask(FRAME)


STAND_IN = """
import os, sys
from components.segmentation.pixellib_worker import read_array, write_array
import numpy as np
sys.stderr.write("TF_USE_LEGACY_KERAS=" + os.environ["TF_USE_LEGACY_KERAS"])
sys.stderr.flush()
if {code}: sys.exit({code})
out = sys.stdout.buffer
write_array(out, np.array(690))
for answers in range({answers}):
    write_array(out, read_array(sys.stdin.buffer)[:, :, 0] > 80)
os.abort()
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A segmenter whose worker answers so many frames, then dies; or ends at once with a code."""

    def make(answers=0, code=0):
        path = tmp_path / "weights.h5"
        path.write_bytes(b"any")
        script = STAND_IN.format(answers=answers, code=code)
        monkeypatch.setattr(pixellib, "_command", lambda *_: [sys.executable, "-c", script])
        settings = PixellibSettings(str(path), file_sha256(path))
        return build_segmenter(SegmentSettings("pixellib", dilate_px=0, pixellib=settings))

    return make


def test_frames_go_out_and_masks_come_back(stand_in):
    segmenter = stand_in(answers=3)
    masks = segmenter.masks(np.stack([FRAME, FRAME * 0, FRAME]), np.zeros(3), None)
    assert masks.all(axis=(1, 2)).tolist() == [True, False, True]
    segmenter.close()


def test_a_dead_worker_is_named_with_its_last_words(stand_in):
    segmenter = stand_in(answers=1)
    with pytest.raises(
        ResourceError, match=r"worker process ended with -6; its last words: TF_USE_LEGACY_KERAS=1"
    ):
        segmenter.masks(np.stack([FRAME] * 3), np.zeros(3), None)
    assert "TF_USE_LEGACY_KERAS" not in os.environ
    assert segmenter.mask(FRAME).all()  # by a new worker
    segmenter.close()


def test_a_file_without_the_whole_model_is_bad_data(stand_in):
    with pytest.raises(BadDataError, match=r"weights\.h5 does not hold the whole model"):
        stand_in(code=NOT_RESTORED).mask(FRAME)


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory):
    """A folder with weights made by one process, and what it found before saving them."""
    folder = tmp_path_factory.mktemp("mask_rcnn")
    script = Path(__file__).with_name("random_mask_rcnn.py")
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": pixellib._python_path()}
    subprocess.run([sys.executable, script, folder], env=environment, check=True, capture_output=True)
    yield folder
    (folder / "mask_rcnn_coco.h5").unlink()


@pytest.mark.slow
def test_saved_weights_come_back_whole_in_a_fresh_process(random_weights):
    path, expected = random_weights / "mask_rcnn_coco.h5", np.load(random_weights / "expected.npz")
    settings = PixellibSettings(str(path), file_sha256(path), infer_speed="rapid", min_score=0.0)
    segmenter = build_segmenter(SegmentSettings("pixellib", dilate_px=0, pixellib=settings))
    frame = expected["frame"].copy()
    mask = segmenter.mask(frame)
    assert segmenter._worker.restored == TENSORS
    np.testing.assert_array_equal(frame, expected["frame"])
    assert set(expected["class_ids"]) == {PERSON}
    in_boxes = np.zeros(frame.shape[:2], bool)
    for top, left, bottom, right in expected["rois"]:
        in_boxes[top:bottom, left:right] = True
    assert 0 < in_boxes.mean() < 1
    np.testing.assert_array_equal(mask, in_boxes)
    np.testing.assert_array_equal(segmenter.mask(frame), mask)
    segmenter.close()


@pytest.mark.slow
def test_pixellib_lays_a_known_person_at_the_right_pixels(random_weights):
    expected = np.load(random_weights / "expected.npz")
    assert expected["pasted_rois"].tolist() == [[20, 40, 50, 60], [20, 100, 50, 120]]
    truth = np.zeros((120, 160), bool)
    truth[20:50, 40:60] = True
    np.testing.assert_array_equal(expected["pasted"], truth)
