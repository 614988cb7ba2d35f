"""The table of numbers, and coverage."""

from pathlib import Path

import numpy as np
import pytest

from components.core.tables import write_csv
from components.features.coverage import clip_coverage, group_coverage
from components.features.table import TABLE_COLUMNS, fixed, read_numbers, table_rows


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0000"),
        (-0.00001, "0.0000"),
        (1836.123456, "1836.1235"),
        (float("nan"), ""),
        (-86.5, "-86.5000"),
    ],
)
def test_fixed(value: float, text: str) -> None:
    assert fixed(value) == text


def test_table_comes_back(tmp_path: Path) -> None:
    numbers = np.round(np.random.default_rng(1).normal(400, 200, (5, 29)), 3).astype(np.float32)
    numbers[1, 12:24] = np.nan
    found = np.array([["frame", ""], ["frame", "head"], ["frame", ""], ["frame", ""], ["frame", ""]])
    rows = [
        *table_rows("b.mp4", np.arange(5) / 2, found, numbers),
        *table_rows("a.mp4", np.arange(5), found, numbers),
    ]
    write_csv(tmp_path / "table.csv", TABLE_COLUMNS, rows)
    table = read_numbers(tmp_path / "table.csv")
    assert list(table) == ["a.mp4", "b.mp4"]
    np.testing.assert_allclose(table["b.mp4"], numbers, atol=1e-4)
    assert (tmp_path / "table.csv").read_text().splitlines()[2].startswith("b.mp4,1,0.5000,frame,head,")


def test_coverage_is_the_share_of_145_numbers() -> None:
    numbers = np.zeros((5, 29), np.float32)
    numbers[2:, 12:24] = np.nan  # B is lost after two frames
    numbers[2:, 26:29] = np.nan
    coverage = clip_coverage(numbers, 0.7)
    assert coverage["coverage"] == pytest.approx((145 - 3 * 15) / 145, abs=1e-6)
    assert (coverage["a"], coverage["b"], coverage["flagged"]) == (1.0, 0.4, True)
    assert not clip_coverage(numbers, 0.68)["flagged"]


def test_coverage_by_class() -> None:
    clips = {
        name: {"coverage": share, "flagged": share < 0.5}
        for name, share in (("x", 1.0), ("y", 0.25), ("z", 0.5))
    }
    groups = {"x": "walk", "y": "walk", "z": "fight"}
    assert group_coverage(clips, groups) == {
        "fight": {"clips": 1, "coverage": 0.5, "flagged": 0},
        "walk": {"clips": 2, "coverage": 0.625, "flagged": 1},
    }
