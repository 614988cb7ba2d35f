"""Tables of clips, also those that earlier versions wrote."""

from pathlib import Path

import pytest

from pipelines.clips_known import known_clips
from tests.pipelines.test_ingest import open_project


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(
            "clip_id,uri,start_s,end_s,sha256,size,origin\na.mp4,a.mp4,,,5f2,1,folder\n", id="earlier"
        ),
        pytest.param("clip_id,uri,start_s,end_s,sha256,size,origin,rate\na.mp4,,,,5f2,1,csv,\n", id="now"),
    ],
)
def test_every_version_of_a_table_is_known(tmp_path: Path, table: str) -> None:
    (tmp_path / "cache/ab").mkdir(parents=True)
    (tmp_path / "cache/ab/cd").write_text(table, encoding="utf-8")
    (tmp_path / "cache/ab/other").write_text("clip_id,colour\nb.mp4,red\n", encoding="utf-8")
    assert known_clips(open_project(tmp_path), [tmp_path / "cache"]).digests == {"a.mp4": {"5f2"}}
