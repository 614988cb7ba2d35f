"""ingest on small data sets: what is written, set aside, refused, and what a second run costs."""

import json
import logging
import shutil
from pathlib import Path

import pytest
import yaml

from components.core.errors import BadDataError, UsageError
from components.core.tables import read_csv
from components.datasets import inspection
from pipelines import ingest
from pipelines.artifacts import Project, read_clips, read_labels
from pipelines.split import run as search_split
from pipelines.split import with_seed
from tests.video_factory import truncated, write_video

PARAMS = {
    "dataset": {"root": "films", "adapter": "folder", "classes": ["calm", "fight"]},
    "samplings": {"five": {"kind": "uniform", "frames": 5}},
    "views": {"numbers": {"sampling": "five", "numbers": True}},
    "featurize": {"sampling": "five"},
    "models": {"majority": {"view": "numbers"}},
    "resources": {"cpu": {"pool": "cpu", "cpu": 2, "memory": "1Gi", "gpu": 0, "minutes": 5, "retries": 0}},
}


def open_project(root: Path, **sections: dict) -> Project:
    (root / "params.yaml").write_text(yaml.safe_dump({**PARAMS, **sections}), encoding="utf-8")
    return Project.open(root)


def write_films(root: Path, calm: int = 3, fight: int = 3) -> Path:
    for label, count, offset in (("calm", calm, 0), ("fight", fight, 100)):
        (root / "films" / label).mkdir(parents=True)
        for k in range(count):
            write_video(root / "films" / label / f"{k}.mp4", 16, first=offset + 30 * k)
    return root / "films"


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch, forked_workers: None) -> None:
    monkeypatch.delenv("TAILWATCH_DATASET_ROOT", raising=False)
    monkeypatch.setenv("TAILWATCH_WORKERS", "1")


def report_of(project: Project) -> dict:
    return json.loads(project.out("ingest", "report.json").read_text(encoding="utf-8"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_clips_labels_and_report(tmp_path: Path) -> None:
    films = write_films(tmp_path)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in films.rglob("*.mp4")}
    project = open_project(tmp_path)
    ingest.run(project)
    clips, labels = read_clips(project), read_labels(project)
    assert [clip.clip_id for clip in clips] == [
        f"{label}/{k}.mp4" for label in ("calm", "fight") for k in range(3)
    ]
    assert {label.label for label in labels.values()} == {"calm", "fight"}
    assert all(label.holdout in ("train", "val", "test") and not label.reason for label in labels.values())
    assert all(label.source == clip_id for clip_id, label in labels.items())
    report = report_of(project)
    assert report["clips"] == report["sources"] == 6
    assert report["properties"]["size"]["counts"] == {"128x64": {"calm": 3, "fight": 3}}
    assert "name no source" in report["warnings"][0]
    assert {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in films.rglob("*") if path.is_file()
    } == before


def test_a_second_run_opens_no_video_and_writes_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_films(tmp_path)
    project = open_project(tmp_path)
    ingest.run(project)
    first = contents(project.out("ingest"))
    monkeypatch.setattr(inspection, "fingerprint", None)
    ingest.run(project)
    assert contents(project.out("ingest")) == first


def test_the_outs_do_not_say_where_the_data_lie(tmp_path: Path) -> None:
    outs = []
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        if outs:
            shutil.copytree(tmp_path / "here" / "films", tmp_path / place / "films")
        else:
            write_films(tmp_path / place)
        project = open_project(tmp_path / place)
        ingest.run(project)
        outs.append(contents(project.out("ingest")))
    assert outs[0] == outs[1]


def test_bad_clips_are_set_aside_with_the_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    films = write_films(tmp_path)
    truncated(films / "calm" / "2.mp4", 0.4)
    shutil.copy(films / "fight" / "0.mp4", films / "fight" / "copy of 0.mp4")
    project = open_project(tmp_path, ingest={"max_bad_fraction": 0.2})
    with caplog.at_level(logging.INFO, "tailwatch"):
        ingest.run(project)
    labels = read_labels(project)
    assert "moov atom" in labels["calm/2.mp4"].reason
    assert labels["fight/copy of 0.mp4"].reason == "duplicate of fight/0.mp4"
    assert not labels["calm/2.mp4"].holdout
    assert {clip.clip_id for clip in read_clips(project)}.isdisjoint({"calm/2.mp4", "fight/copy of 0.mp4"})
    report = report_of(project)
    assert report["duplicates"] == [{"kept": "fight/0.mp4", "left_out": ["fight/copy of 0.mp4"]}]
    assert "5 clips of 5 sources; 1 unreadable, 1 equal files, 0 near-duplicates, 2 set aside" in caplog.text


def test_too_many_bad_clips_end_the_run(tmp_path: Path) -> None:
    films = write_films(tmp_path)
    (films / "calm" / "1.mp4").write_bytes(b"")
    with pytest.raises(BadDataError, match=r"1 of 6 clips could not be read.*at most 10%"):
        ingest.run(open_project(tmp_path))


def test_contradicting_labels_are_refused_before_any_video_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = write_films(tmp_path)
    shutil.copy(films / "fight" / "0.mp4", films / "calm" / "x.mp4")
    with monkeypatch.context() as patched:
        patched.setattr(inspection, "fingerprint", None)
        with pytest.raises(BadDataError, match=r"calm/x\.mp4: calm, fight/0\.mp4: fight"):
            ingest.run(open_project(tmp_path))
    project = open_project(tmp_path, ingest={"conflicts": "drop"})
    ingest.run(project)
    assert read_labels(project)["fight/0.mp4"].reason == "contradicting labels"
    assert len(read_clips(project)) == 5


def test_a_near_duplicate_on_a_lower_side_is_set_aside(tmp_path: Path) -> None:
    films = write_films(tmp_path)
    write_video(films / "calm" / "again.mkv", 16, codec="mpeg4")  # what calm/0.mp4 shows, encoded otherwise
    rows = ["clip,label,source,split", "calm/0.mp4,calm,a,test", "calm/again.mkv,calm,b,train"]
    rows += [f"{label}/{k}.mp4,{label},c,train" for label in ("calm", "fight") for k in (1, 2)]
    (films / "clips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    project = open_project(tmp_path, split={"strategy": "given"})
    ingest.run(project)
    again = read_labels(project)["calm/again.mkv"]
    assert (again.holdout, again.reason) == ("", "near-duplicate of calm/0.mp4, which is in test")
    assert "calm/again.mkv" in {clip.clip_id for clip in read_clips(project)}
    assert report_of(project)["near_duplicates"][0]["clips"] == ["calm/0.mp4", "calm/again.mkv"]
    given = open_project(tmp_path, split={"strategy": "random"})
    ingest.run(given)
    assert read_labels(given)["calm/again.mkv"].holdout


@pytest.mark.parametrize(
    ("classes", "error", "message"),
    [
        pytest.param(
            ["calm", "fight", "dance"], BadDataError, "No usable clip of class dance", id="no clips"
        ),
        pytest.param(["fight"], UsageError, "two classes or more", id="one class"),
    ],
)
def test_classes(tmp_path: Path, classes: list[str], error: type[Exception], message: str) -> None:
    write_films(tmp_path, 1, 1)
    with pytest.raises(error, match=message):
        ingest.run(open_project(tmp_path, dataset={**PARAMS["dataset"], "classes": classes}))


def test_a_folder_of_no_class_is_reported(tmp_path: Path) -> None:
    films = write_films(tmp_path, 1, 1)
    (films / "dance").mkdir()
    write_video(films / "dance" / "a.mp4")
    project = open_project(tmp_path)
    ingest.run(project)
    assert report_of(project)["left_out"][0]["what"] == "dance/"
    assert len(read_clips(project)) == 2


def test_real_clips_size_tells_the_label(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two sizes that one class alone has are told, and no clip is taken for a copy."""
    folder = shared_data / "surveillance-fights"
    rows = read_csv(folder / "clips.csv", ("clip", "label", "source"))
    chosen = rows[:24] + [row for row in rows if row["source"] in ("camnet", "synopsis")]
    for row in chosen:
        (tmp_path / "films" / row["clip"]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "films" / row["clip"]).symlink_to(folder / row["clip"])
    lines = ["clip,label,source", *(",".join(row.values()) for row in chosen)]
    (tmp_path / "films" / "clips.csv").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.delenv("TAILWATCH_WORKERS")
    dataset = {**PARAMS["dataset"], "classes": ["noFight", "fight"]}
    project = open_project(tmp_path, dataset=dataset)
    ingest.run(project)
    report = report_of(project)
    told = {one["value"]: one["label"] for one in report["properties"]["size"]["one_label"]}
    assert told["704x480"] == told["320x240"] == "noFight"
    assert report["near_duplicates"] == report["unreadable"] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("split:\n  seed: 1  # old\na: [1]\n", "split:\n  seed: 9  # old\na: [1]\n", id="block"),
        pytest.param("split: {seed: 1, x: 2} # c\n", "split: {seed: 9, x: 2} # c\n", id="flow"),
        pytest.param(
            "split:\n  # how\n  x: 2\n", "split:\n  # how\n  seed: 9\n  x: 2\n", id="block, none yet"
        ),
        pytest.param("split: {x: 2}\n", "split: {seed: 9, x: 2}\n", id="flow, none yet"),
        pytest.param("split: {}\n", "split: {seed: 9}\n", id="flow, empty"),
        pytest.param("a: 1\n", "a: 1\n\nsplit:\n  seed: 9\n", id="no section"),
    ],
)
def test_a_seed_is_written_and_nothing_else_changes(text: str, expected: str) -> None:
    assert with_seed(text, 9) == expected


def test_split_writes_the_best_seed(tmp_path: Path) -> None:
    write_films(tmp_path)
    project = open_project(tmp_path, split={"seed": 10**6})
    search_split(project, 300)
    found = Project.open(tmp_path)
    assert found.params.split.seed < 300
    ingest.run(found)
    assert all(len(clips) == 2 for side, clips in report_of(found)["split"].items() if side != "set aside")


def test_split_refuses_what_the_table_decides(tmp_path: Path) -> None:
    write_films(tmp_path, 1, 1)
    with pytest.raises(UsageError, match="own table splits it"):
        search_split(open_project(tmp_path, split={"strategy": "given"}), 10)
