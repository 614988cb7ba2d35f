"""why: what differs in the tables that stages made."""

from pathlib import Path

import pytest

from components.core.tables import write_csv
from components.datasets.clips import Clip, Label
from components.store.store import object_name
from pipelines.artifacts import Project, write_labels
from pipelines.data_set import Difference
from pipelines.profile import use_profile
from pipelines.why import VERBS, _keys, rows_that_differ

CLIP = Clip("a.mp4", "a.mp4", None, None, "0" * 64, 1, "")
LABEL = Label("a.mp4", "fight", (), "film", "train", "")


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        pytest.param({"holdout": "test"}, ("holdout train -> test",), id="split"),
        pytest.param({"intervals": ((1.0, 2.5),)}, ("intervals [] -> [[1.0, 2.5]]",), id="intervals"),
        pytest.param(
            {"holdout": "", "reason": "duplicate"},
            ("holdout train -> none", "reason none -> duplicate"),
            id="set aside",
        ),
        pytest.param({"reason": "near-duplicate of " + 60 * "b"}, ("reason",), id="a long value"),
    ],
)
def test_a_clip_s_row_is_told_by_its_columns(tmp_path: Path, changes: dict, parts: tuple[str, ...]) -> None:
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    write_labels(before, [LABEL])
    write_labels(after, [Label(**{**vars(LABEL), **changes})])
    assert list(rows_that_differ(before, after)) == [Difference("a.mp4", "changed", parts)]


def test_of_a_clip_with_several_rows_no_column_is_told(tmp_path: Path) -> None:
    paths = tmp_path / "before.csv", tmp_path / "after.csv"
    for path, frames in zip(paths, (5, 6), strict=True):
        write_csv(path, ("clip_id", "frames"), [{"clip_id": "a", "frames": n} for n in (3, frames)])
    assert list(rows_that_differ(*paths)) == [Difference("a", "changed")]


def test_all_that_a_clip_has_in_the_store_is_counted_with_the_stage_that_makes_it(tmp_path: Path) -> None:
    use_profile(tmp_path, "fights")
    chain = Project.open(tmp_path).chain
    pixels = [name for name, view in chain.settings.views.items() if view.has_pixels]
    stages = [
        *((stage, "") for stage in VERBS if stage != "reshape"),
        *(("reshape", name) for name in pixels),
    ]
    kept = [object_name(*key) for stage, view in stages for key in _keys(chain, stage, view)(CLIP)]
    assert sorted(kept) == sorted(chain.objects(CLIP))
