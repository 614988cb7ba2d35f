"""The catalogue: one label for one content, and every content once."""

import hashlib

import pytest

from components.core.errors import BadDataError
from components.datasets.catalogue import build_catalogue, check_classes
from components.datasets.listing import Entry

CLASSES = ("calm", "fight")


def entries(*pairs: str) -> list[Entry]:
    return [Entry(*pair.split(":")) for pair in pairs]


def test_equal_files_are_kept_once_and_all_named() -> None:
    found = entries("a:calm", "b:calm", "c:calm", "d:fight")
    catalogue = build_catalogue(
        found, {"a": "1", "b": "2", "c": "1", "d": "3"}, CLASSES, drop_conflicts=False
    )
    assert [entry.uri for entry in catalogue.used()] == ["a", "b", "d"]
    assert catalogue.aside == {"c": "duplicate of a"}
    assert catalogue.duplicates == (("a", ("c",)),)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        pytest.param(entries("a:calm", "c:fight"), "a: calm, c: fight", id="two files of one content"),
        pytest.param(entries("a:calm", "a:fight"), "a: calm, a: fight", id="one file in two rows"),
        pytest.param(
            [Entry("a", "fight"), Entry("a", "calm", start_s=0.0)],
            "a: fight, a#t=0,: calm",
            id="a file and its span from 0 on",
        ),
    ],
)
def test_contradicting_labels(found: list[Entry], told: str) -> None:
    sha256_of = {"a": "1", "c": "1"}
    with pytest.raises(BadDataError, match=f"stand under more than one label: {told}.*ingest.conflicts"):
        build_catalogue(found, sha256_of, CLASSES, drop_conflicts=False)
    catalogue = build_catalogue(found, sha256_of, CLASSES, drop_conflicts=True)
    assert catalogue.used() == []
    assert set(catalogue.aside.values()) == {"contradicting labels"}
    assert catalogue.conflicts == (told,)


def test_unknown_labels() -> None:
    found = entries("a:calm", "b:dance")
    sha256_of = {"a": "1", "b": "2"}
    with pytest.raises(BadDataError, match="1 clips have a label that is no class: b: dance"):
        build_catalogue(found, sha256_of, CLASSES, drop_conflicts=False)
    catalogue = build_catalogue(found, sha256_of, CLASSES, drop_conflicts=True)
    assert catalogue.aside == {"b": "label dance is no class"}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        pytest.param(entries("a:calm"), r"No usable clip of class fight \(usable clips: calm: 1\)", id="one"),
        pytest.param([], "No usable clip of class calm, fight .usable clips: none", id="nothing"),
    ],
)
def test_classes_without_clips(found: list[Entry], message: str) -> None:
    with pytest.raises(BadDataError, match=message):
        check_classes(found, CLASSES)


def test_empty_files_are_no_copies_of_each_other() -> None:
    found = entries("a:calm", "b:fight")
    empty = hashlib.sha256(b"").hexdigest()
    catalogue = build_catalogue(found, {"a": empty, "b": empty}, CLASSES, drop_conflicts=False)
    assert catalogue.used() == found
