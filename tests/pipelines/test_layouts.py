"""Every layout of data sets through ingest, and every trap that the public ones are known for."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.errors import BadDataError
from components.core.tables import read_csv
from components.datasets.listing import Listing
from components.datasets.registry import ADAPTERS, list_clips
from components.datasets.source import open_root
from components.datasets.ucf_crime import annotated_events
from pipelines import extract, ingest
from pipelines.artifacts import Project, read_clips, read_labels
from pipelines.data_set import differences, look
from tests import datasets_tiny
from tests.pipelines.test_ingest import PARAMS
from tests.video_factory import numbers, write_frames

ANOMALIES = ("Abuse", "Explosion", "Robbery", "Shooting")
LAYOUTS: dict[str, tuple[Callable[[Path], Path], dict[str, Any], int]] = {
    "stalking": (datasets_tiny.stalking, {"classes": ["non_stalking", "stalking"]}, 7),
    "shv": (datasets_tiny.shv, {"classes": ["non_harassment", "harassment"]}, 6),
    "hockey_fight": (datasets_tiny.hockey_flat, {"classes": ["no", "fi"]}, 6),
    "movie_violence": (datasets_tiny.movie_violence, {"classes": ["noFights", "fights"]}, 6),
    "ucf50": (datasets_tiny.ucf50, {"classes": ["Basketball", "BaseballPitch"]}, 8),
    "ucf101": (
        datasets_tiny.ucf101,
        {"classes": ["ApplyEyeMakeup", "HandstandPushups"], "options": {"official_list": 1}},
        20,
    ),
    "ucf_crime": (
        datasets_tiny.ucf_crime,
        {
            "classes": ["Normal_Videos", "Anomaly"],
            "label_map": dict.fromkeys(ANOMALIES, "Anomaly"),
            "options": {"official_split": "anomaly_detection"},
        },
        11,
    ),
    "ucf_crime_frames": (
        datasets_tiny.ucf_crime_frames,
        {"classes": ["NormalVideos", "Abuse"], "options": {"fps": 3}},
        6,
    ),
}
TABLES = {"folder", "csv"}  # tested by themselves


@pytest.fixture(scope="module", params=sorted(LAYOUTS))
def layout(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A layout's name and a folder that holds it."""
    root = tmp_path_factory.mktemp(request.param)
    LAYOUTS[request.param][0](root / "films")
    return request.param, root


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch, forked_workers: None) -> None:
    monkeypatch.setenv("TAILWATCH_WORKERS", "1")


def open_project(root: Path, adapter: str, dataset: dict[str, Any], **sections: dict) -> Project:
    values = {**PARAMS, "dataset": {"root": "films", "adapter": adapter, **dataset}}
    values["ingest"] = {"max_bad_fraction": 0.5, "near_duplicate_agreement": 1.0}  # films alike by intent
    (root / "params.yaml").write_text(yaml.safe_dump({**values, **sections}), encoding="utf-8")
    return Project.open(root)


def report_of(project: Project) -> dict[str, Any]:
    return json.loads(project.out("ingest", "report.json").read_text(encoding="utf-8"))


def listed(root: Path, adapter: str, classes: tuple[str, ...], **options: Any) -> Listing:
    return list_clips(open_root(str(root)), adapter, classes, options)


def test_every_adapter_has_a_layout_here() -> None:
    assert set(LAYOUTS) | TABLES == set(ADAPTERS.names())


def test_every_layout_goes_through_ingest(layout: tuple[str, Path]) -> None:
    name, root = layout
    _, dataset, count = LAYOUTS[name]
    project = open_project(root, name, dataset)
    ingest.run(project)
    clips = read_clips(project)
    labels = read_labels(project)
    assert len(clips) == count
    assert {clip.origin for clip in clips} == {name}
    assert {labels[clip.clip_id].label for clip in clips} == set(dataset["classes"])
    assert all(labels[clip.clip_id].holdout for clip in clips)


def test_an_official_split_is_the_split_of_ingest(tmp_path: Path) -> None:
    datasets_tiny.ucf101(tmp_path / "films")
    project = open_project(tmp_path, "ucf101", LAYOUTS["ucf101"][1], split={"strategy": "given"})
    ingest.run(project)
    labels = read_labels(project)
    assert {name for name, label in labels.items() if label.holdout == "test"} == {
        name for name in labels if "_g01_" in name
    }
    assert "has no val side" in " ".join(report_of(project)["warnings"])


def test_ucf_crime_as_a_whole(tmp_path: Path) -> None:
    datasets_tiny.ucf_crime(tmp_path / "films")
    dataset = {**LAYOUTS["ucf_crime"][1], "options": {}}
    project = open_project(tmp_path, "ucf_crime", dataset)
    ingest.run(project)
    labels = {Path(name).name: label for name, label in read_labels(project).items()}
    assert labels["Normal_Videos_307_x264.mp4"].reason == "the file is empty"
    assert labels["Abuse028_x264.mp4"].intervals == ((2 / 25, 6 / 25),)
    assert labels["Shooting046_x264.mp4"].intervals == ((0.0, 2 / 25), (4 / 25, 12 / 25))
    assert labels["Normal_Videos_003_x264.mp4"].intervals == ()
    assert len(labels) == 13
    assert report_of(project)["classes"]["Anomaly"] == {
        "Abuse": 3,
        "Explosion": 1,
        "Robbery": 1,
        "Shooting": 1,
    }


def test_the_container_that_tells_the_class_is_told(tmp_path: Path) -> None:
    datasets_tiny.movie_violence(tmp_path)
    listing = listed(tmp_path, "movie_violence", ("noFights", "fights"))
    assert listing.warnings[0].endswith("of behaviour: .avi fights: 3; .mpg noFights: 3")
    assert not [warning for warning in _again_as_avi(tmp_path).warnings if "container" in warning]


def _again_as_avi(root: Path) -> Listing:
    """Non-fights that were encoded again, in place of the others: no file tells its class any more."""
    return listed(root, "movie_violence", ("noFights2", "fights"))


def names_listed(
    root: Path, uris: list[str], adapter: str, classes: tuple[str, ...], **options: Any
) -> Listing:
    """What an adapter makes of names alone."""
    for uri in uris:
        (root / uri).parent.mkdir(parents=True, exist_ok=True)
        (root / uri).write_bytes(uri.encode())
    return listed(root, adapter, classes, **options)


@pytest.mark.parametrize(
    ("adapter", "uri", "classes", "label", "source"),
    [
        pytest.param(
            "hockey_fight", "HockeyFights/fi1_xvid.avi", ("no", "fi"), "fi", "fi-000", id="hockey, the first"
        ),
        pytest.param("hockey_fight", "fi10_xvid.avi", ("no", "fi"), "fi", "fi-000", id="hockey, block ends"),
        pytest.param("hockey_fight", "no11_xvid.avi", ("no", "fi"), "no", "no-001", id="hockey, next block"),
        pytest.param(
            "hockey_fight",
            "fight/fi7_xvid.avi",
            ("no_fight", "fight"),
            "fight",
            "fi-000",
            id="hockey, folders",
        ),
        pytest.param(
            "hockey_fight",
            "data/nofights/clip.avi",
            ("nofights", "fights"),
            "nofights",
            "",
            id="hockey, renamed",
        ),
        pytest.param(
            "movie_violence",
            "Peliculas/fights/newfi1.avi",
            ("noFights", "fights"),
            "fights",
            "",
            id="movies, fight",
        ),
        pytest.param(
            "movie_violence",
            "movies/noFights/1.mpg",
            ("noFights", "fights"),
            "noFights",
            "",
            id="movies, none",
        ),
        pytest.param(
            "movie_violence",
            "noFights/fi1.avi",
            ("noFights", "fights"),
            "noFights",
            "",
            id="movies, name lies",
        ),
        pytest.param(
            "ucf50",
            "UCF50/BaseballPitch/v_BaseballPitch_g01_c01.avi",
            ("BaseballPitch",),
            "BaseballPitch",
            "BaseballPitch_g01",
            id="ucf50",
        ),
        pytest.param(
            "ucf101",
            "UCF-101/HandstandPushups/v_HandStandPushups_g08_c01.avi",
            ("HandstandPushups",),
            "HandstandPushups",
            "HandstandPushups_g08",
            id="ucf101, capital S in the file alone",
        ),
        pytest.param(
            "ucf_crime",
            "Anomaly-Videos-Part-3/Anomaly-Videos-Part-3/RoadAccidents/RoadAccidents001_x264.mp4",
            ("RoadAccidents",),
            "RoadAccidents",
            "RoadAccidents001",
            id="ucf_crime, nested twice",
        ),
        pytest.param(
            "ucf_crime",
            "UCF_Crimes/Videos/Abuse/Abuse001_x264.mp4",
            ("Abuse",),
            "Abuse",
            "Abuse001",
            id="ucf_crime, the other layout",
        ),
        pytest.param(
            "ucf_crime",
            "Part_2/Explosion/Explosion002_x264A.mp4",
            ("Explosion",),
            "Explosion",
            "Explosion002",
            id="A",
        ),
        pytest.param(
            "ucf_crime",
            "Training-Normal-Videos-Part-1/Normal_Videos001_x264.mp4",
            ("Normal_Videos",),
            "Normal_Videos",
            "Normal_Videos001",
            id="ucf_crime, normal of the train list",
        ),
        pytest.param(
            "ucf_crime",
            "UCF_Crimes/Videos/z_Normal_Videos_event/Normal_Videos_003_x264.mp4",
            ("Normal_Videos",),
            "Normal_Videos",
            "Normal_Videos_003",
            id="ucf_crime, normal of the test list",
        ),
        pytest.param(
            "ucf_crime",
            "Normal_Videos_for_Event_Recognition/Normal_Videos_317_x264.mp4",
            ("Normal_Videos",),
            "Normal_Videos",
            "Normal_Videos_317",
            id="ucf_crime, the folder that must be renamed is not",
        ),
        pytest.param(
            "ucf_crime",
            "Normal_Videos_event/Normal_Videos_317_x264.mp4",
            ("Normal_Videos_event",),
            "Normal_Videos_event",
            "Normal_Videos_317",
            id="ucf_crime, the folder is asked for",
        ),
    ],
)
def test_names_as_the_data_sets_write_them(
    tmp_path: Path, adapter: str, uri: str, classes: tuple[str, ...], label: str, source: str
) -> None:
    [entry] = names_listed(tmp_path, [uri], adapter, classes).entries
    assert (entry.uri, entry.label, entry.source) == (uri, label, source)


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        pytest.param("Rowing/v_Rowing_g1_c01.avi", "not named v_<Class>_g<NN>_c<NN>", id="a short group"),
        pytest.param(
            "Rowing/v_Skijet_g01_c01.avi", "its name says Skijet, its folder Rowing", id="misplaced"
        ),
        pytest.param("v_Rowing_g01_c01.avi", "its name says Rowing, its folder nothing", id="no folder"),
    ],
)
def test_names_that_ucf_does_not_write(tmp_path: Path, uri: str, why: str) -> None:
    assert names_listed(tmp_path, [uri], "ucf50", ("Rowing",)).left_out == ((uri, why),)


UCF50 = """
    BaseballPitch Basketball BenchPress Biking Billiards BreastStroke CleanAndJerk Diving Drumming Fencing
    GolfSwing HighJump HorseRace HorseRiding HulaHoop JavelinThrow JugglingBalls JumpRope JumpingJack Kayaking
    Lunges MilitaryParade Mixing Nunchucks PizzaTossing PlayingGuitar PlayingPiano PlayingTabla PlayingViolin
    PoleVault PommelHorse PullUps Punch PushUps RockClimbingIndoor RopeClimbing Rowing SalsaSpin SkateBoarding
    Skiing Skijet SoccerJuggling Swing TaiChi TennisSwing ThrowDiscus TrampolineJumping VolleyballSpiking
    WalkingWithDog YoYo
"""
UCF_CRIME = {
    "Anomaly-Videos-Part-1": "Abuse Arrest Arson Assault",
    "Anomaly-Videos-Part-2": "Burglary Explosion Fighting",
    "Anomaly-Videos-Part-3": "RoadAccidents Robbery Shooting",
    "Anomaly-Videos-Part-4": "Shoplifting Stealing Vandalism",
}


@pytest.mark.parametrize(
    ("adapter", "uris"),
    [
        pytest.param(
            "ucf50", {name: f"UCF50/{name}/v_{name}_g25_c04.avi" for name in UCF50.split()}, id="ucf50"
        ),
        pytest.param(
            "ucf_crime",
            {
                name: f"{part}/{name}/{name}001_x264.mp4"
                for part, names in UCF_CRIME.items()
                for name in names.split()
            },
            id="ucf_crime",
        ),
    ],
)
def test_every_class_of_the_public_lists(tmp_path: Path, adapter: str, uris: dict[str, str]) -> None:
    entries = names_listed(tmp_path, list(uris.values()), adapter, tuple(uris)).entries
    assert {entry.label: entry.uri for entry in entries} == uris
    assert len({entry.source for entry in entries}) == len(uris) in (13, 50)


def test_a_group_is_one_of_its_class(tmp_path: Path) -> None:
    datasets_tiny.ucf50(tmp_path)
    entries = listed(tmp_path, "ucf50", ("BaseballPitch", "Basketball")).entries
    assert len({entry.source for entry in entries}) == 4


@pytest.mark.parametrize("number", [1, 2, 3])
def test_ucf101_lists(tmp_path: Path, number: int) -> None:
    datasets_tiny.ucf101(tmp_path)
    classes = ("ApplyEyeMakeup", "HandstandPushups")
    listing = listed(tmp_path, "ucf101", classes, official_list=number)
    tested = {entry.source for entry in listing.entries if entry.split == "test"}
    group = {1: "g01", 2: "g08", 3: "g09"}[number]
    assert tested == {f"{name}_{group}" for name in classes}
    assert len(listing.entries) == 20
    assert listing.missing == ()
    assert not [entry for entry in listed(tmp_path, "ucf101", classes).entries if entry.split]


@pytest.mark.parametrize(
    ("make", "adapter", "options", "unused"),
    [
        pytest.param(datasets_tiny.ucf101, "ucf101", {"official_list": 2}, 5, id="ucf101"),
        pytest.param(datasets_tiny.ucf101, "ucf101", {}, 7, id="ucf101, lists that nobody asks for"),
        pytest.param(
            datasets_tiny.ucf_crime, "ucf_crime", {"official_split": "anomaly_detection"}, 8, id="detection"
        ),
        pytest.param(datasets_tiny.ucf_crime, "ucf_crime", {}, 10, id="the annotation alone"),
        pytest.param(datasets_tiny.shv, "shv", {}, 0, id="metadata.csv"),
    ],
)
def test_files_that_are_read_are_not_left_out(
    tmp_path: Path, make: Callable[[Path], Path], adapter: str, options: dict[str, Any], unused: int
) -> None:
    listing = listed(make(tmp_path), adapter, tuple(LAYOUTS[adapter][1]["classes"]), **options)
    assert sum(why == "not a video by its name" for _, why in listing.left_out) == unused


def test_a_list_names_what_is_not_there(tmp_path: Path) -> None:
    datasets_tiny.ucf101(tmp_path)
    gone = "HandStandPushups/v_HandStandPushups_g01_c02.avi"
    (tmp_path / "UCF-101/HandstandPushups" / Path(gone).name).unlink()
    listing = listed(tmp_path, "ucf101", ("ApplyEyeMakeup", "HandstandPushups"), official_list=1)
    assert listing.missing == (gone,)
    assert listing.warnings == (
        f"1 of 20 videos that trainlist01.txt and testlist01.txt name are not there: {gone}",
    )


def test_a_class_that_is_not_asked_for_is_not_missing(tmp_path: Path) -> None:
    datasets_tiny.ucf101(tmp_path)
    listing = listed(tmp_path, "ucf101", ("ApplyEyeMakeup",), official_list=1)
    assert listing.missing == listing.warnings == ()
    assert (
        "HandstandPushups/",
        "10 clips of no class of dataset.classes or dataset.label_map",
    ) in listing.left_out


@pytest.mark.parametrize(
    ("adapter", "options", "name"),
    [
        pytest.param("ucf101", {"official_list": 2}, "trainlist02.txt", id="ucf101"),
        pytest.param(
            "ucf_crime", {"official_split": "anomaly_detection"}, "Anomaly_Train.txt", id="detection"
        ),
        pytest.param(
            "ucf_crime", {"official_split": "action_recognition", "fold": 3}, "train_003.txt", id="fold"
        ),
    ],
)
def test_lists_that_are_not_there_are_refused(
    tmp_path: Path, adapter: str, options: dict[str, Any], name: str
) -> None:
    with pytest.raises(BadDataError, match=f"{re.escape(name)} is not in the data set.*dataset.options"):
        listed(tmp_path, adapter, ("a", "b"), **options)


def test_a_video_on_two_sides_is_refused(tmp_path: Path) -> None:
    datasets_tiny.ucf_crime(tmp_path)
    lists = tmp_path / "UCF_Crimes-Train-Test-Split/Anomaly_Detection_splits"
    with (lists / "Anomaly_Test.txt").open("a") as stream:
        stream.write("Abuse/Abuse001_x264.mp4\n")
    with pytest.raises(BadDataError, match=r"Abuse/Abuse001_x264\.mp4 stand on two sides"):
        listed(tmp_path, "ucf_crime", ("Abuse", "Normal_Videos"), official_split="anomaly_detection")


def sides_of(listing: Listing) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"train": set(), "test": set()}
    for entry in listing.entries:
        found[entry.split].add(Path(entry.uri).name)
    return found


CRIME = (*ANOMALIES, "Normal_Videos")


def test_detection_lists_name_a_folder_that_is_not_there(tmp_path: Path) -> None:
    datasets_tiny.ucf_crime(tmp_path)
    listing = listed(tmp_path, "ucf_crime", CRIME, official_split="anomaly_detection")
    assert sides_of(listing) == {
        "train": {Path(line).name for line in datasets_tiny.UCF_CRIME_TRAIN},
        "test": {Path(line).name for line in datasets_tiny.UCF_CRIME_TEST},
    }
    assert listing.missing == ()


@pytest.mark.parametrize(
    ("fold", "tested"),
    [(1, "Abuse001_x264.mp4"), (2, "Abuse002_x264.mp4"), (3, "Abuse028_x264.mp4"), (4, "Abuse001_x264.mp4")],
)
def test_recognition_lists_end_lines_with_a_blank(tmp_path: Path, fold: int, tested: str) -> None:
    datasets_tiny.ucf_crime(tmp_path)
    listing = listed(tmp_path, "ucf_crime", CRIME, official_split="action_recognition", fold=fold)
    test = {tested, "Normal_Videos_003_x264.mp4", "Normal_Videos_307_x264.mp4"}
    assert sides_of(listing)["test"] == test
    assert len(listing.entries) == 6


def test_normals_in_two_folders_count_once(tmp_path: Path) -> None:
    datasets_tiny.ucf_crime(tmp_path)
    listing = listed(tmp_path, "ucf_crime", CRIME)
    assert [entry.uri for entry in listing.entries if "Normal_Videos_003_" in entry.uri] == [
        "Normal_Videos_event/Normal_Videos_003_x264.mp4"
    ]
    copy = "Testing_Normal_Videos_Anomaly/Normal_Videos_003_x264.mp4"
    kept = "Normal_Videos_event/Normal_Videos_003_x264.mp4"
    assert (copy, f"another copy of {kept}, by its name") in listing.left_out
    asked = listed(tmp_path, "ucf_crime", ("Abuse", "Testing_Normal_Videos_Anomaly"))
    assert copy in {entry.uri for entry in asked.entries}, (
        "of two copies, the one in a folder that is asked for"
    )


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("Normal_Videos", id="by the name"),
        pytest.param("Normal_Videos_event", id="by the folder, in which the empty one lies"),
    ],
)
def test_an_empty_copy_does_not_stand_for_the_video(tmp_path: Path, asked: str) -> None:
    films = datasets_tiny.ucf_crime(tmp_path)
    empty = "Normal_Videos_event/Normal_Videos_307_x264.mp4"
    intact = "Testing_Normal_Videos_Anomaly/Normal_Videos_307_x264.mp4"
    shutil.copy(films / "Normal_Videos_event/Normal_Videos_317_x264.mp4", films / intact)
    listing = listed(films, "ucf_crime", ("Abuse", asked))
    assert [(entry.uri, entry.label) for entry in listing.entries if "_307_" in entry.uri] == [
        (intact, asked)
    ]
    assert (empty, f"another copy of {intact}, by its name") in listing.left_out
    (films / intact).write_bytes(b"")
    [alone] = [
        entry for entry in listed(films, "ucf_crime", ("Abuse", asked)).entries if "_307_" in entry.uri
    ]
    assert alone.uri == empty


def test_equal_bytes_under_two_names_are_set_aside(tmp_path: Path) -> None:
    folder = datasets_tiny.ucf_crime(tmp_path / "films") / "Normal_Videos_event"
    shutil.copy(folder / "Normal_Videos_003_x264.mp4", folder / "Normal_Videos_900_x264.mp4")
    dataset = {**LAYOUTS["ucf_crime"][1], "options": {}}
    project = open_project(tmp_path, "ucf_crime", dataset)
    ingest.run(project)
    reasons = {Path(name).name: label.reason for name, label in read_labels(project).items()}
    kept = "Normal_Videos_event/Normal_Videos_003_x264.mp4"
    assert reasons["Normal_Videos_900_x264.mp4"] == f"duplicate of {kept}"


@pytest.mark.parametrize(
    ("line", "events"),
    [
        pytest.param("Abuse028_x264.mp4  Abuse  165  240  -1  -1  ", ((165, 240),), id="one event"),
        pytest.param(
            "S_x264.mp4  Shooting  4005  4230  4760  5088\t", ((4005, 4230), (4760, 5088)), id="tab"
        ),
        pytest.param("Normal_Videos_003_x264.mp4  Normal  -1 -1 -1 -1", (), id="single blanks, no event"),
    ],
)
def test_temporal_annotation(line: str, events: tuple[tuple[int, int], ...]) -> None:
    assert [found.frames for found in annotated_events([line]).values()] == [events]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("a.mp4 Abuse 165", id="cut short"),
        pytest.param("a.mp4 Abuse 240 165 -1 -1", id="ends before it starts"),
        pytest.param("a.mp4 Abuse 0 10 -1 -1", id="counted from 0"),
        pytest.param("a.mp4 Abuse one two -1 -1", id="no numbers"),
    ],
)
def test_an_annotation_that_cannot_be_right(line: str) -> None:
    with pytest.raises(BadDataError, match="first and last frame from 1 on"):
        annotated_events([line])


@pytest.mark.parametrize(
    ("lines", "events"),
    [
        pytest.param(
            ["Arson011_x264.mp4 Arson 150 420 680 1267", "Arson011_x264.mp4 Arson 1500 1600 -1 -1"],
            ((150, 420), (680, 1267), (1500, 1600)),
            id="a third event",
        ),
        pytest.param(["Arson011_x264.mp4 Arson 150 420 -1 -1"] * 2, ((150, 420),), id="the same twice"),
        pytest.param(
            ["Arson011_x264.mp4 Arson 150 420 -1 -1", "arson011_x264A.mp4 Arson 1 2 -1 -1"],
            ((150, 420), (1, 2)),
            id="the video written otherwise",
        ),
        pytest.param(
            ["Arson011_x264.mp4 Arson 150 420 -1 -1", "Arson011_x264.mp4 Arson -1 -1 -1 -1"],
            ((150, 420),),
            id="one without events",
        ),
    ],
)
def test_lines_of_one_video_are_taken_together(lines: list[str], events: tuple[tuple[int, int], ...]) -> None:
    assert [found.frames for found in annotated_events(lines).values()] == [events]


def test_lines_of_one_video_under_two_classes_are_refused() -> None:
    with pytest.raises(BadDataError, match="one class for a video"):
        annotated_events(["Arson011_x264.mp4 Arson 1 2 -1 -1", "Arson011_x264.mp4 Abuse 5 6 -1 -1"])


MISFILED = "1 videos say another class in their names than by their folders, and the name holds: "
ANNOTATED = "Temporal_Anomaly_Annotation says another class than 1 clips have: "


@pytest.mark.parametrize(
    ("uris", "classes", "found", "warnings"),
    [
        pytest.param(
            ["Abuse/Fighting003_x264.mp4"],
            ("Abuse", "Fighting"),
            [("Abuse/Fighting003_x264.mp4", "Fighting")],
            (f"{MISFILED}Abuse/Fighting003_x264.mp4",),
            id="the name is trusted",
        ),
        pytest.param(
            ["Abuse/Fighting003_x264.mp4", "Fighting/Fighting003_x264.mp4"],
            ("Abuse", "Fighting"),
            [("Fighting/Fighting003_x264.mp4", "Fighting")],
            (f"{MISFILED}Abuse/Fighting003_x264.mp4",),
            id="the copy in its own folder is taken",
        ),
        pytest.param(
            ["Abuse/Abuse001_x264.mp4", "Abuse/Fighting003_x264.mp4"],
            ("Abuse",),
            [("Abuse/Abuse001_x264.mp4", "Abuse"), ("Abuse/Fighting003_x264.mp4", "Abuse")],
            (f"{ANNOTATED}Abuse/Fighting003_x264.mp4: Abuse, Fighting",),
            id="the annotation alone knows the class of the name",
        ),
        pytest.param(
            ["all/Fighting003_x264.mp4"], ("all",), [("all/Fighting003_x264.mp4", "all")], (), id="no class"
        ),
        pytest.param(
            ["Testing_Normal_Videos_Anomaly/Normal_Videos_003_x264.mp4"],
            ("Normal_Videos", "Testing_Normal_Videos_Anomaly"),
            [("Testing_Normal_Videos_Anomaly/Normal_Videos_003_x264.mp4", "Testing_Normal_Videos_Anomaly")],
            (),
            id="a folder of the name's class",
        ),
    ],
)
def test_videos_in_the_folder_of_another_class(
    tmp_path: Path,
    uris: list[str],
    classes: tuple[str, ...],
    found: list[tuple[str, str]],
    warnings: tuple[str, ...],
) -> None:
    lines = ["Abuse001_x264.mp4 Abuse -1 -1 -1 -1", "Fighting003_x264.mp4 Fighting 7 9 -1 -1"]
    lines += ["Normal_Videos_003_x264.mp4 Normal -1 -1 -1 -1"]
    datasets_tiny.write_lines(tmp_path / "Temporal_Anomaly_Annotation.txt", lines)
    listing = names_listed(tmp_path, uris, "ucf_crime", classes)
    assert [(entry.uri, entry.label) for entry in listing.entries] == found
    assert listing.warnings == warnings


def test_a_video_in_the_folders_of_two_classes_is_a_conflict(tmp_path: Path) -> None:
    films = datasets_tiny.ucf_crime(tmp_path / "films")
    normal = ("Normal_Videos_event", "Testing_Normal_Videos_Anomaly")
    with pytest.raises(BadDataError, match=r"_003_x264\.mp4: Normal_Videos_event, .*ingest\.conflicts"):
        ingest.run(open_project(tmp_path, "ucf_crime", {"classes": list(normal)}))
    listing = list_clips(open_root(str(films)), "ucf_crime", ("N",), {}, dict.fromkeys(normal, "N"))
    assert [entry.label for entry in listing.entries if "_003_" in entry.uri] == ["N"]


@pytest.mark.parametrize("uri", ["fights/no3_xvid.avi", "nofights/FI3_xvid.avi"])
@pytest.mark.parametrize(
    "classes", [("nofights", "fights"), ("no", "fi"), ("no_fight", "fight")], ids=lambda classes: classes[1]
)
def test_the_name_of_a_hockey_clip_decides_over_its_folder(
    tmp_path: Path, uri: str, classes: tuple[str, ...]
) -> None:
    listing = names_listed(tmp_path, [uri], "hockey_fight", classes)
    fights = Path(uri).name.startswith("FI")
    assert [(entry.label, entry.source) for entry in listing.entries] == [
        (classes[fights], "fi-000" if fights else "no-000")
    ]
    assert listing.warnings == (f"{MISFILED}{uri}",)


@pytest.mark.parametrize(
    ("uri", "classes", "label"),
    [
        pytest.param("nonviolence/no1_xvid.avi", ("nonviolence", "violence"), "nonviolence", id="own words"),
        pytest.param("HockeyFights/fi1_xvid.avi", ("nofights", "fights"), "fights", id="one folder for all"),
        pytest.param("nofights/no1_xvid.avi", ("no", "fi"), "no", id="the prefix is asked for"),
    ],
)
def test_hockey_folders_that_contradict_nothing(
    tmp_path: Path, uri: str, classes: tuple[str, ...], label: str
) -> None:
    listing = names_listed(tmp_path, [uri], "hockey_fight", classes)
    assert ([entry.label for entry in listing.entries], listing.warnings) == ([label], ())


def test_a_misfiled_hockey_clip_whose_class_is_not_asked_for_is_left_out(tmp_path: Path) -> None:
    listing = names_listed(tmp_path, ["fights/no3_xvid.avi"], "hockey_fight", ("fights",))
    assert (listing.entries, len(listing.left_out), len(listing.warnings)) == ((), 1, 1)


def test_the_tables_of_annotations_are_read_together(tmp_path: Path) -> None:
    datasets_tiny.ucf_crime(tmp_path)
    datasets_tiny.write_lines(
        tmp_path / "more/Temporal_Anomaly_Annotation_mine.txt", ["Abuse028_x264.mp4 Abuse 9 10 -1 -1"]
    )
    (tmp_path / "Temporal_Anomaly_Annotation.mat").write_bytes(b"MATLAB \xff")
    entries = {Path(entry.uri).name: entry for entry in listed(tmp_path, "ucf_crime", CRIME).entries}
    assert entries["Abuse028_x264.mp4"].intervals_frames == ((3, 6), (9, 10))


def test_metadata_names_the_film(tmp_path: Path) -> None:
    entries = listed(datasets_tiny.stalking(tmp_path), "stalking", ("non_stalking", "stalking")).entries
    assert {Path(entry.uri).stem: entry.source for entry in entries} == {
        "a": "film 1",
        "b": "film 1",
        "c": "film 2",
        "d_x": "d",
        "film-3_01": "film-3",
        "film-3_02": "film-3",
        "film-4_01": "film-4",
    }


def test_addresses_are_sources(tmp_path: Path) -> None:
    listing = listed(datasets_tiny.shv(tmp_path), "shv", ("non_harassment", "harassment"))
    assert {Path(entry.uri).stem: entry.source for entry in listing.entries} == {
        "1h": "5f2",
        "2h": "5f2",
        "3h": "77a",
        "1n": "9c0",
        "2n": "",
        "3n": "",
    }
    assert "2 of 6 clips name no source" in listing.warnings[0]


def equal_stems(root: Path, rows: list[str]) -> Listing:
    """Two clips of one name in two classes, with a table."""
    films = root / "shv"
    datasets_tiny.write_lines(films / "metadata.csv", ["clip_id,label,source_url_hash", *rows])
    uris = ["shv/harassment/1.mp4", "shv/non_harassment/1.mp4"]
    return names_listed(root, uris, "shv", ("non_harassment", "harassment"))


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(["1,harassment,5f2"], id="one row"),
        pytest.param(["1,harassment,5f2", "1,non_harassment,9c0"], id="one for each"),
    ],
)
def test_a_row_that_fits_several_files_is_refused(tmp_path: Path, rows: list[str]) -> None:
    told = (
        r"1 is the name of several files.*the path.*such as shv/harassment/1\.mp4, shv/non_harassment/1\.mp4"
    )
    with pytest.raises(BadDataError, match=told):
        equal_stems(tmp_path, rows)
    with pytest.raises(BadDataError, match=r"1\.mp4 is the name of several files"):
        equal_stems(tmp_path, [row.replace("1,", "1.mp4,", 1) for row in rows])


def test_files_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    rows = ["shv/harassment/1.mp4,harassment,5f2", "shv/non_harassment/1.mp4,,9c0"]
    listing = equal_stems(tmp_path, rows)
    assert [(entry.uri, entry.label, entry.source) for entry in listing.entries] == [
        ("shv/harassment/1.mp4", "harassment", "5f2"),
        ("shv/non_harassment/1.mp4", "non_harassment", "9c0"),
    ]
    assert listing.warnings == ()


def test_two_rows_of_one_clip_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"shv/harassment/1\.mp4 has two rows"):
        equal_stems(tmp_path, ["shv/harassment/1.mp4,,5f2", "shv/harassment/1.mp4,,77a"])


def test_frames_are_clips(tmp_path: Path) -> None:
    films = datasets_tiny.ucf_crime_frames(tmp_path / "films")
    (films / "Train/Abuse/Thumbs.db").write_bytes(b"x")
    project = open_project(tmp_path, "ucf_crime_frames", LAYOUTS["ucf_crime_frames"][1])
    ingest.run(project)
    clips = {clip.clip_id: clip for clip in read_clips(project)}
    assert sorted(clips) == [
        "Test/Abuse/Abuse028_x264A_*.png",
        "Test/NormalVideos/Normal_Videos_003_x264_*.png",
        "Train/Abuse/Abuse001_x264_*.png",
        "Train/Abuse/Abuse002_x264_*.png",
        "Train/NormalVideos/Normal_Videos001_x264_*.png",
        "Train/NormalVideos/Normal_Videos002_x264_*.png",
    ]
    clip = clips["Test/Abuse/Abuse028_x264A_*.png"]
    assert clip.rate == "3"
    assert clip.size == sum(path.stat().st_size for path in films.glob("Test/Abuse/*.png"))
    labels = read_labels(project)
    assert labels[clip.clip_id].source == "Abuse028"
    left_out = {one["what"]: one["why"] for one in report_of(project)["left_out"]}
    assert left_out == {"Train/Abuse/Thumbs.db": "not named <video>_x264_<frame>.png"}
    extract.run(project)
    rows = {row["clip_id"]: row for row in read_csv(project.out("extract", "index.csv"))}
    row = rows[clip.clip_id]
    assert (row["status"], row["backend"], row["codec"], row["average_rate"]) == ("ok", "images", "png", "3")
    assert (row["frames_decoded"], row["span_s"]) == ("12", "4.0")
    frames = project.chain.frames(clip, "five")
    first = 40 + len("Abuse028_x264A")
    assert numbers(frames["frames"]) == [first + k for k in (1, 3, 6, 8, 10)]
    assert frames["times_s"].tolist() == pytest.approx([k / 3 for k in (1, 3, 6, 8, 10)], abs=1e-6)


def test_the_sides_of_frames_are_their_folders(tmp_path: Path) -> None:
    datasets_tiny.ucf_crime_frames(tmp_path / "films")
    dataset = LAYOUTS["ucf_crime_frames"][1]
    project = open_project(tmp_path, "ucf_crime_frames", dataset, split={"strategy": "given"})
    ingest.run(project)
    sides = {name: label.holdout for name, label in read_labels(project).items()}
    assert {name for name, side in sides.items() if side == "test"} == {
        name for name in sides if name.startswith("Test/")
    }


def test_another_rate_or_another_frame_is_another_clip(tmp_path: Path) -> None:
    films = datasets_tiny.ucf_crime_frames(tmp_path / "films")
    dataset = LAYOUTS["ucf_crime_frames"][1]
    project = open_project(tmp_path, "ucf_crime_frames", dataset)
    ingest.run(project)
    before = read_clips(project)[0]
    faster = open_project(tmp_path, "ucf_crime_frames", {**dataset, "options": {"fps": 30}})
    ingest.run(faster)
    again = read_clips(faster)[0]
    assert (again.sha256, again.rate) == (before.sha256, "30")
    assert project.chain.keys.frames(before, "five") != project.chain.keys.frames(again, "five")
    (films / "Test/Abuse/Abuse028_x264A_110.png").unlink()
    with pytest.raises(BadDataError, match="is not the file that ingest saw"):
        project.chain.frames(before, "five")
    assert "changed" in {one.change for one in differences(project, look(project))}
    ingest.run(project)
    assert read_clips(project)[0].sha256 != before.sha256


def test_a_table_may_name_folders_of_frames(tmp_path: Path) -> None:
    films = tmp_path / "films"
    write_frames(films / "walk", [f"{k}.jpg" for k in range(12)])
    write_frames(films / "all", [f"run-{k}.png" for k in range(12)], first=100)
    datasets_tiny.write_lines(films / "clips.csv", ["clip,label", "walk,calm", "all/run-*.png,fight"])
    dataset = {"classes": ["calm", "fight"], "options": {"fps": 12.5}}
    project = open_project(tmp_path, "csv", dataset)
    ingest.run(project)
    clips = {clip.clip_id: clip for clip in read_clips(project)}
    assert {clip.rate for clip in clips.values()} == {"25/2"}
    assert numbers(project.chain.frames(clips["walk"], "five")["frames"]) == [1, 3, 6, 8, 10]
    with pytest.raises(BadDataError, match=r"all/run-\*\.png, walk is not there.*dataset\.options\.fps"):
        ingest.run(open_project(tmp_path, "csv", {"classes": ["calm", "fight"]}))


def test_frames_that_cannot_be_read_are_set_aside(tmp_path: Path) -> None:
    films = datasets_tiny.ucf_crime_frames(tmp_path / "films")
    for path in films.glob("Train/Abuse/Abuse001_x264_*.png"):
        path.write_bytes(b"no picture")
    project = open_project(tmp_path, "ucf_crime_frames", LAYOUTS["ucf_crime_frames"][1])
    ingest.run(project)
    assert read_labels(project)["Train/Abuse/Abuse001_x264_*.png"].reason == "no frame can be decoded"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param(["clip_id,label", "a,non_stalking"], "stalking/a.mp4: non_stalking", id="another label"),
        pytest.param(["clip_id", "a", "a"], "a has two rows", id="two rows"),
        pytest.param(["clip,label", "a,stalking"], "also clip_id", id="no clip_id"),
    ],
)
def test_metadata_that_contradicts(tmp_path: Path, rows: list[str], message: str) -> None:
    datasets_tiny.stalking(tmp_path / "films")
    datasets_tiny.write_lines(tmp_path / "films/stalking/metadata.csv", rows)
    with pytest.raises(BadDataError, match=message):
        ingest.run(open_project(tmp_path, "stalking", LAYOUTS["stalking"][1]))


def test_rows_of_no_clip_are_told(tmp_path: Path) -> None:
    datasets_tiny.stalking(tmp_path)
    datasets_tiny.write_lines(tmp_path / "stalking/metadata.csv", ["clip_id", "a", "gone"])
    assert (
        listed(tmp_path, "stalking", ("stalking",)).warnings[0]
        == "metadata.csv: no clip has the clip_id gone"
    )
