"""normalize: a scaler that knows the train side and nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.core.files import read_json, write_json
from components.core.tables import write_csv
from components.datasets.clips import Label
from components.features.coverage import clip_coverage
from components.features.table import TABLE_COLUMNS, table_rows
from pipelines import normalize
from pipelines.artifacts import Project, read_labels, write_labels

PARAMS = """
dataset: {{root: clips, classes: [walk, fight]}}
samplings: {{five: {{kind: uniform, frames: 5}}}}
views: {{numbers: {{sampling: five, numbers: true}}}}
models: {{logistic: {{view: numbers, runs_on: cpu}}}}
resources: {{cpu: {{pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}}}
featurize: {{sampling: five}}
normalize: {{fit_on: {fit_on}}}
"""
SIDES = ("train", "train", "val", "test", "")


def lay_out(
    root: Path, numbers: np.ndarray, sides: tuple[str, ...] = SIDES, fit_on: str = "train"
) -> Project:
    """A project whose featurize has run: numbers (N, 5, 29) of clips c0, c1, ..."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.yaml").write_text(PARAMS.format(fit_on=fit_on))
    project = Project.open(root)
    ids = [f"c{k}" for k in range(len(numbers))]
    found = np.full((5, 2), "frame")
    rows = [
        row
        for name, clip in zip(ids, numbers, strict=True)
        for row in table_rows(name, np.arange(5), found, clip)
    ]
    write_csv(project.out("featurize", "table.csv"), TABLE_COLUMNS, rows)
    coverage = {name: clip_coverage(clip, 0.5) for name, clip in zip(ids, numbers, strict=True)}
    write_json(project.out("featurize", "coverage.json"), {"clips": coverage})
    labels = [
        Label(name, ("walk", "fight")[k % 2], (), f"s{k}", side, "" if side else "duplicate")
        for k, (name, side) in enumerate(zip(ids, sides, strict=True))
    ]
    write_labels(project.out("ingest", "labels.csv"), labels)
    return project


def scaler(project: Project) -> dict:
    normalize.run(project)
    return read_json(project.out("normalize", "scalers.json"))["holdout"]


@pytest.fixture
def numbers() -> np.ndarray:
    """(5, 5, 29) with a person missing in one clip."""
    numbers = np.random.default_rng(5).normal(500, 300, (5, 5, 29))
    numbers[1, :, 12:24] = np.nan
    return numbers


def test_fitted_on_the_train_side(tmp_path: Path, numbers: np.ndarray) -> None:
    fitted = scaler(lay_out(tmp_path, numbers))
    np.testing.assert_allclose(fitted["mean"], np.nanmean(numbers[:2].reshape(10, 29), axis=0), rtol=1e-5)
    np.testing.assert_allclose(fitted["scale"], np.nanstd(numbers[:2].reshape(10, 29), axis=0), rtol=1e-5)
    assert fitted["n"] == [10] * 12 + [5] * 12 + [10] * 5
    assert (fitted["fit_on"], fitted["leaky"]) == ("train", False)


def test_every_fold_has_a_scaler_of_its_own_train_side(tmp_path: Path, numbers: np.ndarray) -> None:
    lay_out(tmp_path, numbers)
    kfold = "\nprotocol: {kind: kfold, folds: 2, seeds: [7]}\n"
    (tmp_path / "params.yaml").write_text(PARAMS.format(fit_on="train") + kfold)
    project = Project.open(tmp_path)
    labels = read_labels(project)
    parts = {"c0": (1,), "c1": (0,), "c2": (2,), "c3": (3,)}
    write_labels(
        project.out("ingest", "labels.csv"),
        [replace(label, parts=parts.get(clip_id, ())) for clip_id, label in labels.items()],
    )
    normalize.run(project)
    scalers = read_json(project.out("normalize", "scalers.json"))
    trained = {"holdout": [0, 1], "fold-0-of-seed-7": [3], "fold-1-of-seed-7": [0]}
    assert set(scalers) == set(trained)
    for split, clips in trained.items():
        mean = np.nanmean(numbers[clips].reshape(-1, 29), axis=0)
        known = np.isfinite(mean)
        np.testing.assert_allclose(np.array(scalers[split]["mean"], float)[known], mean[known], rtol=1e-5)


@pytest.mark.parametrize(
    ("clip", "changes"),
    [
        pytest.param(0, True, id="train"),
        pytest.param(2, False, id="val"),
        pytest.param(3, False, id="test"),
        pytest.param(4, False, id="set aside"),
    ],
)
def test_only_a_train_row_changes_the_scaler(
    tmp_path: Path, numbers: np.ndarray, clip: int, changes: bool
) -> None:
    before = scaler(lay_out(tmp_path / "before", numbers))
    numbers[clip, 3, 0] += 1000
    assert (scaler(lay_out(tmp_path / "after", numbers)) != before) is changes


def test_parity_with_the_paper_fits_on_all_and_says_so(tmp_path: Path, numbers: np.ndarray) -> None:
    fitted = scaler(lay_out(tmp_path, numbers, fit_on="all"))
    np.testing.assert_allclose(fitted["mean"][0], numbers[:4, :, 0].mean(), rtol=1e-5)
    assert (fitted["fit_on"], fitted["leaky"]) == ("all", True)


def test_digest_names_the_split(tmp_path: Path, numbers: np.ndarray) -> None:
    digests = {
        scaler(lay_out(tmp_path / "-".join(map(str, sides)), numbers, sides))["split_digest"]
        for sides in (SIDES, ("train", "train", "val", "test", ""), ("train", "train", "test", "val", ""))
    }
    assert len(digests) == 2


def test_coverage_by_class_and_side(tmp_path: Path, numbers: np.ndarray) -> None:
    project = lay_out(tmp_path, numbers)
    normalize.run(project)
    coverage = read_json(project.out("normalize", "coverage.json"))
    assert coverage["classes"]["walk"] == {"clips": 2, "coverage": 1.0, "flagged": 0}
    assert coverage["classes"]["fight"]["coverage"] == pytest.approx((1 + 17 / 29) / 2, abs=1e-6)
    assert {side: of["clips"] for side, of in coverage["sides"].items()} == {"train": 2, "val": 1, "test": 1}


def test_same_bytes_again(tmp_path: Path, numbers: np.ndarray) -> None:
    project = lay_out(tmp_path, numbers)
    normalize.run(project)
    first = project.out("normalize", "scalers.json").read_bytes()
    normalize.run(project)
    assert project.out("normalize", "scalers.json").read_bytes() == first


def test_nothing_to_learn_from(tmp_path: Path, numbers: np.ndarray) -> None:
    project = lay_out(tmp_path, numbers, ("val", "val", "test", "test", "test"))
    with pytest.raises(BadDataError, match="none of the 5 measured clips is on the train side"):
        normalize.run(project)
