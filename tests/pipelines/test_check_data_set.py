"""The check of a data set: what it tells, and that it writes no outs and ends at nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from components.core.errors import BadDataError
from pipelines import check_data_set, ingest
from pipelines.check_data_set import in_words, run, strict
from pipelines.cli import cli
from tests import datasets_tiny
from tests.pipelines import test_ingest
from tests.pipelines.test_layouts import LAYOUTS, open_project
from tests.video_factory import damaged


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch, forked_workers: None) -> None:
    monkeypatch.setenv("TAILWATCH_WORKERS", "1")


@pytest.fixture
def found(tmp_path: Path) -> dict[str, Any]:
    """What is told of UCF-Crime with every fault that it may have."""
    films = datasets_tiny.ucf_crime(tmp_path / "films")
    damaged(films / "Anomaly-Videos-Part-3/Anomaly-Videos-Part-3/Robbery/Robbery048_x264.mp4", range(12))
    folder = films / "Normal_Videos_event"
    shutil.copy(folder / "Normal_Videos_003_x264.mp4", folder / "Normal_Videos_900_x264.mp4")
    (films / "Testing_Normal_Videos_Anomaly/Normal_Videos_006_x264.mp4").unlink()
    lists = films / "UCF_Crimes-Train-Test-Split/Anomaly_Detection_splits"
    with (lists / "Anomaly_Test.txt").open("a") as stream:
        stream.write("a/Normal_Videos_307_x264.mp4\na/Normal_Videos_900_x264.mp4\n")
    return run(open_project(tmp_path, "ucf_crime", LAYOUTS["ucf_crime"][1]))


def test_every_fault_is_told(found: dict[str, Any]) -> None:
    event, robbery = "Normal_Videos_event", "Anomaly-Videos-Part-3/Anomaly-Videos-Part-3/Robbery"
    assert found["clips"] == 12
    assert found["missing"] == ["Testing_Normal_Videos_Anomaly/Normal_Videos_006_x264.mp4"]
    assert found["unreadable"] == [[f"{event}/Normal_Videos_307_x264.mp4", "the file is empty"]]
    assert found["zero_frame"] == [f"{robbery}/Robbery048_x264.mp4"]
    assert found["duplicates"] == [
        [f"{event}/Normal_Videos_003_x264.mp4", f"{event}/Normal_Videos_900_x264.mp4"]
    ]
    assert found["classes"]["Anomaly"] == {"Abuse": 3, "Explosion": 1, "Robbery": 1, "Shooting": 1}
    assert found["containers"]["mov,mp4,m4a,3gp,3g2,mj2"] == {"Anomaly": 5, "Normal_Videos": 5}


def test_it_is_told_in_words(found: dict[str, Any]) -> None:
    words = in_words(found).splitlines()
    assert words[0] == "ucf_crime: 12 clips of 12 sources"
    assert "missing, 1: Testing_Normal_Videos_Anomaly/Normal_Videos_006_x264.mp4" in words
    assert any(line.startswith("without a frame, 1: ") for line in words)
    assert any(line.startswith("warning: 1 of 13 videos") for line in words)


def test_the_container_tells_the_label_of_movies(tmp_path: Path) -> None:
    datasets_tiny.movie_violence(tmp_path / "films")
    project = open_project(tmp_path, "movie_violence", LAYOUTS["movie_violence"][1])
    assert run(project)["containers"] == {"avi": {"fights": 3}, "mpeg": {"noFights": 3}}


def test_the_command_writes_no_outs(tmp_path: Path) -> None:
    datasets_tiny.ucf_crime_frames(tmp_path / "films")
    open_project(tmp_path, "ucf_crime_frames", LAYOUTS["ucf_crime_frames"][1])
    result = CliRunner().invoke(cli, ["-C", str(tmp_path), "adapters", "--check", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["containers"] == {"images": {"Abuse": 3, "NormalVideos": 3}}
    assert not (tmp_path / "outs").exists()


@pytest.mark.parametrize(
    ("limit", "code"),
    [pytest.param(0.1, 3, id="too many"), pytest.param(0.2, 0, id="what a list alone names is no clip")],
)
def test_the_strict_check_ends_as_ingest_would(
    limit: float, code: int, found: dict[str, Any], tmp_path: Path
) -> None:
    params = yaml.safe_load((tmp_path / "params.yaml").read_text())
    params["ingest"] = {"max_bad_fraction": limit}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "adapters", "--check", "--strict"])
    assert done.exit_code == code
    told = json.loads(done.stdout)
    assert (told["stage"], told["clips"], told["passed"]) == ("check", 12, code == 0)
    assert told["bad"] == len(found["unreadable"]) + len(found["zero_frame"]) == 2


def _contradicted(films: Path) -> None:
    shutil.copy(films / "fight" / "0.mp4", films / "calm" / "x.mp4")


def _strange(films: Path) -> None:
    test_ingest.write_table(films, ["clip,label", "calm/0.mp4,calm", "calm/1.mp4,dance", "fight/0.mp4,fight"])


def _one_sided(films: Path) -> None:
    shutil.rmtree(films / "fight")


@pytest.mark.parametrize(
    ("damage", "conflicts", "mislabelled", "passed"),
    [
        pytest.param(_contradicted, "fail", ["calm/x.mp4: calm, fight/0.mp4: fight"], False, id="two labels"),
        pytest.param(_contradicted, "drop", ["calm/x.mp4: calm, fight/0.mp4: fight"], True, id="dropped"),
        pytest.param(_strange, "fail", ["calm/1.mp4: dance"], False, id="no class"),
        pytest.param(_one_sided, "fail", [], False, id="class without clips"),
    ],
)
def test_the_strict_check_refuses_labels_as_ingest_does(
    damage: Any, conflicts: str, mislabelled: list[str], passed: bool, tmp_path: Path
) -> None:
    damage(test_ingest.write_films(tmp_path))
    dataset = {**test_ingest.PARAMS["dataset"], "adapter": "csv" if damage is _strange else "folder"}
    project = test_ingest.open_project(tmp_path, ingest={"conflicts": conflicts}, dataset=dataset)
    found = run(project)
    assert list(found["mislabelled"]) == mislabelled
    told = strict(project, found)
    assert (told["passed"], told["mislabelled"]) == (passed, len(mislabelled))
    if passed:
        ingest.run(project)
    else:
        with pytest.raises(BadDataError):
            ingest.run(project)


def test_empty_files_are_no_copies_of_each_other(tmp_path: Path) -> None:
    films = test_ingest.write_films(tmp_path)
    for label in ("calm", "fight"):
        (films / label / "empty.mp4").touch()
    found = run(test_ingest.open_project(tmp_path))
    assert not found["duplicates"]
    assert not found["mislabelled"]


def test_a_file_that_went_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    films = test_ingest.write_films(tmp_path)
    project = test_ingest.open_project(tmp_path)
    listed = check_data_set.list_data_set(project)
    (films / "calm" / "0.mp4").unlink()
    monkeypatch.setattr(check_data_set, "list_data_set", lambda _: listed)
    found = run(project)
    assert (list(found["gone"]), strict(project, found)["bad"]) == (["calm/0.mp4"], 1)


def test_adapters_are_listed_with_their_options() -> None:
    result = CliRunner().invoke(cli, ["adapters", "--json"])
    options = {row["adapter"]: row["options"] for row in json.loads(result.stdout)}
    assert options["folder"] == "none"
    assert options["hockey_fight"] == "group: block_of_10"
    assert options["ucf_crime"] == "official_split: None, fold: 1"
    assert options["ucf_crime_frames"] == "fps: 3.0"
