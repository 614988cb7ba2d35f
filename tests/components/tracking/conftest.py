"""A tracking store of its own for each test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from components.tracking.registry import ModelRegistry, Version
from components.tracking.runs import RunBook
from components.tracking.store import TrackingStore, open_store


@pytest.fixture
def store(mlflow_project: Path) -> TrackingStore:
    return open_store(mlflow_project)


@pytest.fixture
def book(store: TrackingStore) -> RunBook:
    return RunBook(store, "tailwatch")


@pytest.fixture
def registry(store: TrackingStore) -> ModelRegistry:
    return ModelRegistry(store, "tailwatch")


@pytest.fixture
def register(registry: ModelRegistry, book: RunBook, tmp_path: Path) -> Callable[[str], Version]:
    """Registers a version that has a bundle digest and next to nothing in it."""
    from components.tracking.records import RunRecord

    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {}\n")
    run_id, _ = book.ensure(RunRecord("train@fusion", "key"))

    def one(bundle: str) -> Version:
        return registry.register(
            bundle, lambda: folder, "tailwatch", {"tailwatch.model_id": "fusion"}, run_id
        )

    return one
