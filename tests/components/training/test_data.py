"""Batches: what is read, in which order, how it weighs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import BadDataError
from components.training.data import (
    Batch,
    batches,
    check_classes,
    class_weights,
    clips_of,
    epoch_flips,
    epoch_order,
    frames_of,
    mirrored,
)


@pytest.fixture
def tensors(tmp_path):
    """Seven clips of three frames on disk, each pixel saying its clip and frame: 10 * clip + frame."""
    value = 10 * np.arange(7)[:, None] + np.arange(3)
    frames = np.broadcast_to(value[:, :, None, None, None], (7, 3, 2, 2, 3)).astype(np.uint8)
    np.save(tmp_path / "frames.npy", frames)
    return {
        "frames": np.load(tmp_path / "frames.npy", mmap_mode="r"),
        "numbers": value[:, :, None].astype(np.float32),
    }


LABELS = np.array([0, 1, 1, 1])
ROWS = np.array([6, 0, 3, 2])


def test_clips_are_read_in_order_and_the_last_batch_is_smaller(tensors):
    samples = clips_of(tensors, ROWS, LABELS, np.ones(2))
    read = list(batches(samples, 3))
    assert [len(batch.labels) for batch in read] == [3, 1]
    assert read[0].inputs["frames"][:, 1, 0, 0, 0].tolist() == [61, 1, 31]
    assert read[0].inputs["numbers"][:, :, 0].tolist() == [[60, 61, 62], [0, 1, 2], [30, 31, 32]]
    assert not isinstance(read[0].inputs["frames"], np.memmap) or read[0].inputs["frames"].base is None
    assert read[1].labels.tolist() == [1]


def test_frames_keep_their_clips_label_and_numbers(tensors):
    samples = frames_of(tensors, ROWS, LABELS, np.ones(2))
    assert len(samples) == 12
    (batch,) = batches(samples, 12, [0, 4, 11])
    assert batch.inputs["frames"].shape == (3, 2, 2, 3)
    assert batch.inputs["frames"][:, 0, 0, 0].tolist() == [60, 1, 22]
    assert batch.inputs["numbers"][:, 0].tolist() == [60, 1, 22]
    assert batch.labels.tolist() == [0, 1, 1]


def test_reading_again_after_pages_were_given_back(tensors):
    samples = clips_of(tensors, ROWS, LABELS, np.ones(2))
    one, again = ([batch.inputs["frames"] for batch in batches(samples, 2)] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))


@given(st.integers(0, 2**31), st.integers(0, 200))
def test_every_epoch_sees_every_sample_once(seed, epoch):
    samples = clips_of({}, np.arange(23), np.zeros(23, int), np.ones(2))
    order = epoch_order(samples, seed, epoch)
    assert sorted(order) == list(range(23))
    assert np.array_equal(order, epoch_order(samples, seed, epoch))


def test_epochs_differ_in_order():
    samples = clips_of({}, np.arange(23), np.zeros(23, int), np.ones(2))
    orders = {tuple(epoch_order(samples, 27, epoch)) for epoch in range(5)}
    assert len(orders) == 5
    assert 0 < epoch_flips(samples, 27, 0).sum() < 23


def test_mirrored_swaps_left_and_right_of_some():
    frames = np.arange(2 * 1 * 1 * 2 * 3).reshape(2, 1, 1, 2, 3).astype(np.uint8)
    batch = Batch({"frames": frames}, np.zeros(2), np.ones(2))
    said = mirrored(batch, np.array([True, False])).inputs["frames"]
    assert said[0, 0, 0].tolist() == [[3, 4, 5], [0, 1, 2]]
    assert np.array_equal(said[1], frames[1])
    assert frames[0, 0, 0, 0, 0] == 0


@given(st.lists(st.integers(1, 50), min_size=2, max_size=6))
def test_class_weights_make_classes_equal_and_average_one(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    weights = class_weights(labels, len(counts))
    assert np.allclose(weights * counts, len(labels) / len(counts))
    assert weights[labels].mean() == pytest.approx(1.0)


def test_weights_reach_the_samples(tensors):
    samples = clips_of(tensors, ROWS, LABELS, class_weights(LABELS, 2))
    assert samples.weights.tolist() == pytest.approx([2.0, 2 / 3, 2 / 3, 2 / 3])
    assert samples.weights.dtype == np.float32


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        pytest.param([], "walk, stalk", id="no clips"),
        pytest.param([1, 1], "walk", id="one class"),
        pytest.param([0, 1], None, id="both"),
    ],
)
def test_a_side_needs_every_class(labels, missing):
    labels = np.array(labels, np.int64)
    if missing is None:
        check_classes("val", labels, ("walk", "stalk"))
    else:
        with pytest.raises(
            BadDataError, match=f"The val side has {len(labels)} clips, none of class {missing}"
        ):
            check_classes("val", labels, ("walk", "stalk"))
