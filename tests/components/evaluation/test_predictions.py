"""The table of predictions: written, read, joined, digested."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.errors import BadDataError
from components.core.tables import read_csv, write_csv
from components.evaluation.predictions import (
    ClipPredictions,
    class_indices,
    columns,
    digest_of_test_set,
    from_rows,
    pair_on,
    to_rows,
)

CLASSES = ("fight", "noFight")


def table(n: int = 6, seed: int = 0) -> ClipPredictions:
    generator = np.random.default_rng(seed)
    positive, raw = generator.random(n), generator.random(n)
    return ClipPredictions(
        clip_ids=np.array([f"clip{i}" for i in range(n)]),
        splits=np.array(["train", "val", "test"] * n)[:n],
        groups=np.array([f"film{i // 2}" for i in range(n)]),
        labels=np.arange(n) % 2,
        predicted=(positive >= 0.5).astype(np.int64),
        probabilities=np.stack([1 - positive, positive], axis=1),
        raw=np.stack([1 - raw, raw], axis=1),
        coverage=generator.random(n),
        classes=CLASSES,
    )


def same(one: ClipPredictions, other: ClipPredictions) -> bool:
    return list(to_rows(one)) == list(to_rows(other)) and one.classes == other.classes


@given(st.integers(1, 12), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_what_is_written_reads_back_as_the_same_numbers(tmp_path_factory, n, seed):
    path = tmp_path_factory.mktemp("predictions") / "predictions.csv"
    write_csv(path, columns(CLASSES), to_rows(table(n, seed)))
    assert same(from_rows(read_csv(path, columns(CLASSES)), CLASSES), table(n, seed))


def test_pairs_are_joined_by_clip_and_not_by_place():
    first, second = table(12), table(12, seed=1)
    shuffled = second.where(np.random.default_rng(2).permutation(12))
    pair, expected = pair_on("test", first, shuffled), pair_on("test", first, second)
    assert np.array_equal(pair.second, expected.second)
    assert len(pair.labels) == 4


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(table(11), id="another number of clips"),
        pytest.param(replace(table(12), labels=1 - table(12).labels), id="other labels"),
        pytest.param(replace(table(12), clip_ids=np.char.add(table(12).clip_ids, "x")), id="other clips"),
    ],
)
def test_other_clips_cannot_be_paired(other):
    with pytest.raises(BadDataError, match="clips that do not match"):
        pair_on("test", table(12), other)


def test_digest_of_the_test_set_sees_clips_contents_labels_and_sources():
    contents = {f"clip{i}": f"sha{i}" for i in range(6)}
    usual = digest_of_test_set(table(), contents)
    assert usual == digest_of_test_set(table().where(np.arange(6)[::-1]), contents)
    assert usual == digest_of_test_set(table(seed=5), contents), "predictions are no part of the test set"
    relabelled = replace(table(), labels=np.array([0, 1, 1, 1, 0, 1]))
    assert usual != digest_of_test_set(relabelled, contents)
    assert usual != digest_of_test_set(table(), contents | {"clip2": "other"})
    assert usual == digest_of_test_set(table(), contents | {"clip0": "other"}), "clip0 is a train clip"
    regrouped = replace(table(), groups=np.array(["film0"] * 6))
    assert usual != digest_of_test_set(regrouped, contents)


def test_unknown_label():
    with pytest.raises(BadDataError, match=r"labelled `walk`\. Wanted: one of fight, noFight"):
        class_indices(["fight", "walk"], CLASSES)
