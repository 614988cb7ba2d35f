"""What the data set says otherwise than ingest saw."""

from pathlib import Path

import pytest

from pipelines import ingest
from pipelines.artifacts import read_labels
from pipelines.data_set import Difference, differences, look
from tests import datasets_tiny
from tests.pipelines.test_ingest import open_project, write_films, write_table
from tests.pipelines.test_layouts import LAYOUTS
from tests.pipelines.test_layouts import open_project as open_layout


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch, forked_workers: None) -> None:
    monkeypatch.setenv("TAILWATCH_WORKERS", "1")


def write_sides(films: Path, sides: str) -> None:
    rows = [f"calm/{k}.mp4,calm,{k},{side}" for k, side in enumerate(sides.split())]
    write_table(films, ["clip,label,source,split", *rows, "fight/0.mp4,fight,f,train"])


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        pytest.param("train val test", "train test test", ["calm/1.mp4"], id="val is given"),
        pytest.param("train train test", "train train train", [], id="to train, of which some is val"),
        pytest.param("train train test", "test train test", ["calm/0.mp4"], id="to test"),
        pytest.param("train train test", "train train test", [], id="none"),
    ],
)
def test_a_clip_on_another_side_is_told(tmp_path: Path, before: str, after: str, moved: list[str]) -> None:
    films = write_films(tmp_path, 3, 1)
    write_sides(films, before)
    project = open_project(tmp_path, split={"strategy": "given"})
    ingest.run(project)
    then = {clip_id: label.holdout for clip_id, label in read_labels(project).items()}
    write_sides(films, after)
    assert differences(project, look(project)) == [
        Difference(clip_id, f"split {then[clip_id]} -> test") for clip_id in moved
    ]


def test_a_side_that_is_not_the_data_set_s_own_word_is_no_difference(tmp_path: Path) -> None:
    films = write_films(tmp_path, 3, 1)
    write_sides(films, "train val test")
    project = open_project(tmp_path)
    ingest.run(project)
    write_sides(films, "test train val")
    assert differences(project, look(project)) == []


def test_corrected_events_are_told(tmp_path: Path) -> None:
    films = datasets_tiny.ucf_crime(tmp_path / "films")
    project = open_layout(tmp_path, "ucf_crime", {**LAYOUTS["ucf_crime"][1], "options": {}})
    ingest.run(project)
    assert differences(project, look(project)) == []
    (table,) = films.glob("Temporal_Anomaly_Annotation*.txt")
    table.write_text(table.read_text().replace("Abuse  3  6", "Abuse  3  7"))
    [told] = differences(project, look(project))
    assert (Path(told.name).name, told.change) == ("Abuse028_x264.mp4", "its intervals changed")
