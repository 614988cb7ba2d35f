"""ingest on small data sets: what is written, set aside, refused, and what a second run costs."""

import json
import logging
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.errors import BadDataError, UsageError
from components.core.tables import read_csv
from components.datasets import inspection
from components.datasets.clips import Label
from components.datasets.listing import Entry
from pipelines import ingest
from pipelines.artifacts import Project, read_clips, read_labels, read_sides
from pipelines.ingest_report import bare_folds, bare_sides
from pipelines.params import ProtocolParams, SplitParams
from pipelines.split import run as search_split
from pipelines.split import with_seed
from tests.video_factory import numbers, truncated, write_video

PARAMS = {
    "dataset": {"root": "films", "adapter": "folder", "classes": ["calm", "fight"]},
    "samplings": {"five": {"kind": "uniform", "frames": 5}},
    "views": {"numbers": {"sampling": "five", "numbers": True}},
    "featurize": {"sampling": "five"},
    "models": {"majority": {"view": "numbers", "runs_on": "cpu"}},
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


def test_folds_divide_the_clips_anew_for_every_seed_and_never_a_source(tmp_path: Path) -> None:
    films = write_films(tmp_path, calm=8, fight=8)
    rows = [
        f"{label}/{k}.mp4,{label},{'twins' if (label, k // 2) == ('calm', 0) else f'{label}-{k}'}"
        for label in ("calm", "fight")
        for k in range(8)
    ]
    (films / "clips.csv").write_text("\n".join(["clip,label,source", *rows]) + "\n", encoding="utf-8")
    protocol = {"kind": "kfold", "folds": 3, "seeds": [1, 2]}
    project = open_project(tmp_path, protocol=protocol)
    ingest.run(project)
    labels = read_labels(project)
    of_seeds = list(zip(*(label.parts for label in labels.values()), strict=True))
    assert [sorted(set(parts)) for parts in of_seeds] == [list(range(6))] * 2
    assert of_seeds[0] != of_seeds[1]
    assert labels["calm/0.mp4"].parts == labels["calm/1.mp4"].parts
    for fold in range(3):
        sides = read_sides(project, f"fold-{fold}-of-seed-2")
        tested = {clip_id for clip_id, side in sides.items() if side == "test"}
        assert tested == {name for name, label in labels.items() if label.parts[1] // 2 == fold}
        assert {sides[name] for name in sides} == {"train", "val", "test"}


def test_a_copy_stays_with_its_source_though_its_twin_is_set_aside(tmp_path: Path) -> None:
    params = open_project(tmp_path, protocol={"kind": "kfold", "folds": 2, "seeds": list(range(20))}).params
    entries = [
        Entry(f"{label}{group}_{k}.mp4", label, source=f"{label}{group}")
        for label in ("calm", "fight")
        for group in range(6)
        for k in range(2)
    ]
    pairs = [("calm0_0.mp4", "copy.mp4")]
    parts = ingest.divide_clips(
        [*entries, Entry("copy.mp4", "calm", source="other")], pairs, {"calm0_0.mp4"}, params
    )
    assert "calm0_0.mp4" not in parts
    assert parts["calm0_1.mp4"] == parts["copy.mp4"]


def test_no_fold_divides_sources_that_share_equal_bytes(tmp_path: Path) -> None:
    films = write_films(tmp_path, calm=8, fight=8)
    shutil.copy(films / "calm" / "0.mp4", films / "calm" / "copy.mp4")
    rows = [f"{label}/{k}.mp4,{label},{label}-{k}" for label in ("calm", "fight") for k in range(8)]
    write_table(films, ["clip,label,source", *rows, "calm/copy.mp4,calm,calm-1"])
    ingest.run(open_project(tmp_path, protocol={"kind": "kfold", "folds": 2, "seeds": list(range(20))}))
    labels = read_labels(open_project(tmp_path, protocol={"kind": "kfold", "folds": 2}))
    assert labels["calm/copy.mp4"].parts == ()
    assert labels["calm/0.mp4"].parts == labels["calm/1.mp4"].parts


@pytest.mark.parametrize(
    "protocol",
    [
        pytest.param({"folds": 2, "seeds": [27]}, id="fewer folds"),
        pytest.param({"folds": 4, "seeds": [27]}, id="more folds"),
        pytest.param({"folds": 3, "seeds": [28]}, id="another seed"),
        pytest.param({"folds": 3, "seeds": [27, 28]}, id="more seeds"),
        pytest.param({"folds": 3, "seeds": [27], "strategy": "random"}, id="another strategy"),
    ],
)
def test_folds_that_were_dealt_otherwise_are_refused(tmp_path: Path, protocol: dict) -> None:
    write_films(tmp_path, calm=8, fight=8)
    ingest.run(open_project(tmp_path, protocol={"kind": "kfold", "folds": 3, "seeds": [27]}))
    changed = open_project(tmp_path, protocol={"kind": "kfold"} | protocol)
    with pytest.raises(BadDataError, match="under another protocol"):
        read_sides(changed, list(changed.params.protocol.fold_splits)[-1])


def test_too_few_sources_for_the_folds_are_refused(tmp_path: Path) -> None:
    write_films(tmp_path)
    with pytest.raises(BadDataError, match="Class calm has clips of 3 sources, for 5 folds"):
        ingest.run(open_project(tmp_path, protocol={"kind": "kfold", "folds": 5}))


@pytest.mark.parametrize(
    ("split", "remedy"),
    [
        pytest.param({"strategy": "group"}, "run `tailwatch split`", id="by source"),
        pytest.param({"strategy": "given"}, "set another split.seed", id="val drawn from the given train"),
        pytest.param(
            {"strategy": "random", "stratified": True}, "set other split.fractions", id="stratified"
        ),
    ],
)
def test_a_side_without_a_class_is_told_where_the_split_is_made(split: dict[str, Any], remedy: str) -> None:
    labels = [
        Label(f"{side}-{name}", name, (), "", side, "")
        for side in ("train", "val", "test")
        for name in ("calm", "fight")
        if (side, name) != ("val", "fight")
    ]
    [told] = bare_sides(labels, ("calm", "fight"), SplitParams(**split))
    assert told.startswith(f"no fight clip is on the val side: {remedy}")


def test_a_fold_without_a_class_is_told_where_the_folds_are_made() -> None:
    labels = [
        Label(f"{name}-{part}", name, (), "", "", "", (part, 3 if (name, part) == ("fight", 4) else part))
        for name in ("calm", "fight")
        for part in range(6)
    ]
    aside = Label("aside", "fight", (), "", "", "near-duplicate of another")
    protocol = ProtocolParams("kfold", folds=3, seeds=(1, 27))
    [told] = bare_folds([*labels, aside], ("calm", "fight"), protocol)
    assert told.startswith("no fight clip is on the val side of fold-1-of-seed-27: set other protocol.seeds")


def test_ingest_warns_of_a_fold_without_a_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_films(tmp_path, calm=4, fight=4)
    project = open_project(tmp_path, protocol={"kind": "kfold", "folds": 2})
    parts = {
        f"{label}/{k}.mp4": (k if label == "calm" else 0,) for label in ("calm", "fight") for k in range(4)
    }
    monkeypatch.setattr(ingest, "divide_clips", lambda *_: parts)
    ingest.run(project)
    warned = " ".join(report_of(project)["warnings"])
    assert "no fight clip is on the train side of fold-0-of-seed-27" in warned


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


def write_table(films: Path, rows: list[str]) -> None:
    (films / "clips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_spans_of_one_video(tmp_path: Path) -> None:
    films = write_films(tmp_path, 1, 1)
    write_video(films / "long.mp4", 50, first=200)
    head = "clip,label,start_s,end_s"
    rows = [head, "calm/0.mp4,calm,,", "fight/0.mp4,fight,,", "long.mp4,calm,,1", "long.mp4,fight,1,2"]
    write_table(films, rows)
    project = open_project(tmp_path, dataset={**PARAMS["dataset"], "adapter": "csv"})
    ingest.run(project)
    spans = {clip.clip_id: (clip.uri, clip.start_s, clip.end_s) for clip in read_clips(project)}
    assert spans["long.mp4#t=,1"] == ("long.mp4", None, 1.0)
    assert spans["long.mp4#t=1,2"] == ("long.mp4", 1.0, 2.0)
    labels = read_labels(project)
    assert {labels[name].source for name in spans if name.startswith("long")} == {"long.mp4"}
    report = report_of(project)
    assert report["near_duplicates"] == report["duplicates"] == []
    read = project.chain.frames(next(c for c in read_clips(project) if c.start_s), "five")
    assert numbers(read["frames"]) == [227, 232, 237, 242, 247]


def test_the_same_span_twice_is_a_contradiction(tmp_path: Path) -> None:
    films = write_films(tmp_path, 1, 1)
    write_table(films, ["clip,label,end_s", "calm/0.mp4,calm,0.2", "calm/0.mp4,fight,0.2"])
    with pytest.raises(BadDataError, match=r"calm/0\.mp4#t=,0\.2: calm, calm/0\.mp4#t=,0\.2: fight"):
        ingest.run(open_project(tmp_path))


@pytest.mark.parametrize(
    ("again", "span", "rest"),
    [
        pytest.param("again.mkv", ",0.3", "0.3,", id="other bytes, the same pictures"),
        pytest.param("again.mp4", "0.1,0.4", "0.4,", id="equal bytes"),
    ],
)
def test_clips_whose_spans_overlap_are_near_duplicates(
    again: str, span: str, rest: str, tmp_path: Path
) -> None:
    films = write_films(tmp_path)
    shutil.copy(films / "calm" / "0.mp4", films / "calm" / "again.mp4")
    write_video(films / "calm" / "again.mkv", 16, codec="mpeg4")  # what calm/0.mp4 shows
    rows = ["clip,label,source,split,start_s,end_s", f"calm/{again},calm,b,train,{span}"]
    rows += ["calm/0.mp4,calm,a,test,,0.3", f"calm/0.mp4,calm,a,test,{rest}"]
    rows += [f"{label}/{k}.mp4,{label},c,train,," for label in ("calm", "fight") for k in (1, 2)]
    write_table(films, rows)
    project = open_project(tmp_path, split={"strategy": "given"})
    ingest.run(project)
    [pair] = report_of(project)["near_duplicates"]
    assert pair["clips"] == ["calm/0.mp4#t=,0.3", f"calm/{again}#t={span}"]
    aside = read_labels(project)[f"calm/{again}#t={span}"].reason
    assert aside == "near-duplicate of calm/0.mp4#t=,0.3, which is in test"


def test_classes_are_mapped_to_labels(tmp_path: Path) -> None:
    films = write_films(tmp_path, 2, 1)
    for name in ("shove", "dance"):
        (films / name).mkdir()
        write_video(films / name / "a.mp4", 16, first=210 + 20 * (name == "shove"))
    project = open_project(tmp_path, dataset={**PARAMS["dataset"], "label_map": {"shove": "fight"}})
    ingest.run(project)
    assert read_labels(project)["shove/a.mp4"].label == "fight"
    report = report_of(project)
    assert report["classes"] == {"calm": {"calm": 2}, "fight": {"fight": 1, "shove": 1}}
    assert [one["what"] for one in report["left_out"]] == ["dance/"]


def test_a_split_without_val_takes_it_from_train(tmp_path: Path) -> None:
    films = write_films(tmp_path, 5, 5)
    sides = ["train"] * 4 + ["test"]
    rows = [f"{label}/{k}.mp4,{label},{sides[k]}" for label in ("calm", "fight") for k in range(5)]
    write_table(films, ["clip,label,split", *rows])
    fractions = {"train": 0.3, "val": 0.5, "test": 0.2}
    project = open_project(tmp_path, split={"strategy": "given", "fractions": fractions})
    ingest.run(project)
    labels = read_labels(project)
    assert {name for name, label in labels.items() if label.holdout == "test"} == {
        "calm/4.mp4",
        "fight/4.mp4",
    }
    taken = sum(label.holdout == "val" for label in labels.values())
    assert 0 < taken < 8
    told = (
        f"has no val side: {taken} of its 8 train clips are val, by source group (split.fractions.val: 0.5)"
    )
    assert any(told in warning for warning in report_of(project)["warnings"])


def test_a_given_split_that_tears_a_source_is_told(tmp_path: Path) -> None:
    films = write_films(tmp_path, 2, 2)
    rows = [
        f"{label}/{k}.mp4,{label},cam,{('train', 'test')[k]}" for label in ("calm", "fight") for k in (0, 1)
    ]
    write_table(films, ["clip,label,source,split", *rows])
    project = open_project(tmp_path, split={"strategy": "given"})
    ingest.run(project)
    assert "the data set's own split tears 1 sources apart, among them cam" in report_of(project)["warnings"]


def test_folder_and_csv_read_the_same_table_alike(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outs = {}
    monkeypatch.delenv("TAILWATCH_WORKERS")
    for adapter in ("folder", "csv"):
        dataset = {"root": str(shared_data / "surveillance-fights"), "adapter": adapter}
        project = open_project(tmp_path, dataset={**dataset, "classes": ["noFight", "fight"]})
        ingest.run(project)
        clips = [replace(clip, origin="") for clip in read_clips(project)]
        outs[adapter] = clips, project.out("ingest", "labels.csv").read_bytes()
    assert outs["folder"] == outs["csv"]
    assert len(outs["csv"][0]) > 200


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


def test_a_stratified_split_divides_each_class_alike(tmp_path: Path) -> None:
    write_films(tmp_path)
    for seed in range(3):
        project = open_project(tmp_path, split={"strategy": "random", "stratified": True, "seed": seed})
        ingest.run(project)
        found = Counter((label.label, label.holdout) for label in read_labels(project).values())
        assert found == {(label, side): 1 for label in ("calm", "fight") for side in ("train", "val", "test")}
    with pytest.raises(UsageError, match="each class alike under every seed"):
        search_split(project, 10)


def test_split_refuses_what_the_table_decides(tmp_path: Path) -> None:
    write_films(tmp_path, 1, 1)
    with pytest.raises(UsageError, match="own table splits it"):
        search_split(open_project(tmp_path, split={"strategy": "given"}), 10)
