"""One version per bundle."""

import pytest

from components.core.errors import UsageError


def test_the_same_bundle_is_the_same_version(registry, register):
    versions = [register(bundle).number for bundle in ("b1", "b2", "b1")]
    assert versions == [1, 2, 1]
    assert registry.find("b2").tags["tailwatch.model_id"] == "fusion"
    assert registry.find("b3") is None


def test_the_model_is_made_only_when_it_is_needed(registry, register):
    register("b1")

    def never() -> None:
        raise RuntimeError("made again")

    assert registry.register("b1", never, "tailwatch", {}, "run").number == 1


def test_a_registration_that_broke_off_uses_the_model_that_is_there(registry, register, store):
    first = register("b1")
    registry.client.delete_model_version("tailwatch", str(first.number))
    again = register("b1")
    models = registry.client.search_logged_models([store.experiment_id("tailwatch")])
    assert (again.source, len(models)) == (first.source, 1)


def test_two_versions_of_one_bundle_are_settled_for_the_first(registry, register):
    first = register("b1")
    registry.client.create_model_version("tailwatch", first.source, "run", {"tailwatch.bundle": "b1"})
    assert registry.find("b1").number == first.number


def test_nothing_registered(registry):
    assert registry.champion() is None
    assert registry.notes_on_model() == {}
    with pytest.raises(UsageError, match=r"tailwatch has no version 7.*tailwatch history"):
        registry.version(7)


def test_download_gives_the_model(registry, register, tmp_path):
    folder = registry.download(register("b1"), tmp_path / "fetched")
    assert (folder / "MLmodel").is_file()
