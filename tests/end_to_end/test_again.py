"""Why a stage runs, a version made again, and a clip forgotten: on one small project that really ran."""

import csv
import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.flow import Checkout, copy_project

pytestmark = pytest.mark.slow

CLIPS = 12
SIDES = ("train", "train", "train", "val", "test", "train")  # of each class's clips in turn
FORGOTTEN = "non_stalking/film-01-03.mp4"
MODELS = ("majority", "logistic")


def _shrink(params):
    params["views"] = {"numbers": params["views"]["numbers"]}
    params["models"] = {name: params["models"][name] for name in MODELS}
    params["split"]["strategy"] = "given"
    params["evaluate"]["bootstrap"]["samples"] = 100
    params["report"].update(blur_faces=False, clips_per_class=CLIPS)  # quick: all clips, all rendered


def _give_sides(table: Path) -> None:
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for label in {row["label"] for row in rows}:
        for k, row in enumerate(row for row in rows if row["label"] == label):
            row["split"] = SIDES[k % len(SIDES)]
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ("clip", "label", "source", "split"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, project_root):
    """A project in a repository, with one registered version."""
    folder = tmp_path_factory.mktemp("again")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder / "tailwatch/.dvc/site"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        made = copy_project(project_root, folder)
        made.run("tailwatch", "sample", "data/sample", "--clips", str(CLIPS))
        shutil.rmtree(made.folder / "data/sample-truth")
        _give_sides(made.folder / "data/sample/clips.csv")
        made.params(_shrink)
        made.run("git", "add", "--all")
        made.run("git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "-qm", "state")
        made.repro()
        made.run("tailwatch", "promote", "--model", "logistic")
        yield made


@pytest.fixture
def undone(checkout):
    """The project with what a test changes in it put back afterwards, dates of files too."""
    kept = [checkout.folder / name for name in ("params.yaml", "pipelines", "components", "data")]
    beside = checkout.folder.parent / "kept"
    for path in kept:
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, _made(beside) / path.name)
    yield checkout
    for path in kept:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.move(beside / path.name, path)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def why(made: Checkout, *stage: str) -> dict[str, dict]:
    answers = json.loads(made.run("tailwatch", "-q", "why", "--json", *stage))
    return {answer["stage"]: answer for answer in answers}


def causes(answer: dict) -> dict[str, dict]:
    return {cause["what"]: cause for cause in answer["causes"]}


def test_nothing_changed_nothing_would_run(checkout):
    answers = why(checkout)
    assert {answer["runs"] for answer in answers.values()} == {"no"}
    assert next(iter(answers)) == "ingest"
    assert list(answers)[-1] == "compare"


def test_a_parameter_is_told_with_both_its_values(undone):
    undone.params(lambda params: params["train"].update(batch=4))
    answers = why(undone)
    for model in MODELS:
        told = answers[f"train@{model}"]
        assert (told["runs"], [*causes(told)]) == ("yes", ["train.batch"])
        assert (causes(told)["train.batch"]["then"], causes(told)["train.batch"]["now"]) == ("8", "4")
        assert (answers[f"evaluate@{model}"]["runs"], answers[f"evaluate@{model}"]["before"]) == (
            "perhaps",
            [f"train@{model}"],
        )
    assert "parameter train.batch: 8 -> 4" in undone.run("tailwatch", "why", "train@logistic")


def test_code_is_told_by_function_and_words_are_told_from_code(undone):
    scaler, files = (undone.folder / "components" / name for name in ("features/scaler.py", "core/tables.py"))
    scaler.write_text(scaler.read_text().replace("def apply(self", "def apply(self, *_ignored: int", 1))
    files.write_text(files.read_text() + "\n# a remark\n")
    (undone.folder / "components/features/added.py").write_text("VALUE = 1\n")
    told = causes(why(undone, "normalize")["normalize"])
    details = {
        one["name"]: (one["change"], one["parts"]) for cause in told.values() for one in cause["details"]
    }
    assert details == {
        "components/features/scaler.py": ("changed", ["Scaler.apply"]),
        "components/features/added.py": ("added", []),
        "components/core/tables.py": ("changed in comments, docstrings or layout only", []),
    }


def test_clips_are_told_with_what_they_will_cost(undone):
    data = undone.folder / "data/sample"
    added = data / "stalking/added.mp4"
    shutil.copy(data / FORGOTTEN, added)
    added.write_bytes(added.read_bytes() + b"\x00\x00\x00\x08free")
    table = data / "clips.csv"
    gone, corrected = "stalking/film-01-02.mp4", "stalking/film-01-04.mp4,stalking,"
    assert corrected in table.read_text()
    lines = [line for line in table.read_text().splitlines() if not line.startswith(gone)]
    text = "\n".join(lines).replace(corrected, f"{corrected}other-")
    table.write_text(f"{text}\nstalking/added.mp4,stalking,film-09,train\n")
    (data / gone).unlink()
    answers = why(undone)
    told = causes(answers["ingest"])["data/sample"]["details"]
    assert {(one["name"], one["change"]) for one in told} == {
        ("stalking/added.mp4", "added"),
        (gone, "removed"),
        ("stalking/film-01-04.mp4", "source film-01 -> other-film-01"),
    }
    assert answers["extract"]["clips"] == {"verb": "decoded", "anew": 1, "reused": CLIPS - 1}
    assert (answers["extract"]["runs"], answers["extract"]["before"]) == ("perhaps", ["ingest"])


def test_a_lost_output_is_taken_from_the_cache(undone):
    (undone.folder / "outs/normalize/coverage.json").unlink()
    told = why(undone, "normalize")["normalize"]
    assert (told["runs"], causes(told)["outs/normalize/coverage.json"]["how"]) == ("kept", "is missing")
    assert undone.repro()[1] == set()


def test_a_data_set_that_is_away_is_told(checkout):
    data = checkout.folder / "data/sample"
    data.rename(data.with_name("away"))
    try:
        told = why(checkout, "ingest")["ingest"]
    finally:
        data.with_name("away").rename(data)
    assert (told["runs"], causes(told)["data/sample"]["how"]) == ("yes", "is missing")


def test_a_version_is_made_again_whatever_the_work_tree_holds_now(undone):
    undone.params(lambda params: params["featurize"].update(min_coverage=0.1))
    undone.params(lambda params: params["split"].update(strategy="random"))
    outs = undone.folder / "outs"
    outs.rename(undone.folder / "outs-away")
    scaler = undone.folder / "components/features/scaler.py"
    scaler.write_text(scaler.read_text() + "\nOTHER = 1\n")
    try:
        result = json.loads(undone.run("tailwatch", "-q", "reproduce", "models:/tailwatch/1", "--json"))
    finally:
        (undone.folder / "outs-away").rename(outs)
    assert result["equal"]
    assert result["model"] == "logistic"
    made = {row["out"]: row["now"] for row in result["outs"]}
    lock = yaml.safe_load((undone.folder / "dvc.lock").read_text())["stages"]
    for stage in ("train@logistic", "evaluate@logistic", "reshape@numbers"):
        assert all(made[out["path"]] == out["md5"] for out in lock[stage]["outs"])


def test_another_data_set_is_refused_by_the_name_of_the_clip(undone):
    with (undone.folder / "data/sample" / FORGOTTEN).open("ab") as clip:
        clip.write(b"\x00\x00\x00\x08free")
    text = undone.run("tailwatch", "-q", "reproduce", "models:/tailwatch/1", succeeds=False)
    assert f"The data set is another than the version was made from: {FORGOTTEN} changed" in text
    assert "Traceback" not in text


def places(folder: Path, clip_id: str, sha256: str) -> set[str]:
    """Every file that names a clip in its content or path, ours, DVC's and MLflow's alike."""
    wanted = re.compile(rb"(?<![\w-])" + re.escape(clip_id.encode()) + rb"|" + sha256.encode())
    names = (Path(place, name) for place, _, files in os.walk(folder) for name in files)
    return {
        str(path.relative_to(folder))
        for path in names
        if wanted.search(path.read_bytes()) or wanted.search(str(path.relative_to(folder)).encode())
    }


def test_a_forgotten_clip_is_found_nowhere_but_in_the_report(checkout):
    folder = checkout.folder
    clip = folder / "data/sample" / FORGOTTEN
    sha256 = hashlib.sha256(clip.read_bytes()).hexdigest()
    checkout.run("tailwatch", "report")
    before = places(folder, FORGOTTEN, sha256)
    parts = {"outs", "reports", "mlartifacts", ".dvc", ".tailwatch"}
    assert {name.split("/")[0] for name in before} >= parts, "the search must find what there is"
    stored = sorted((folder / ".tailwatch/store").rglob("*.npz"))

    refused = checkout.run("tailwatch", "forget", "--clip", FORGOTTEN, "--yes", succeeds=False)
    assert f"Still in the data set, as clip or copy: {FORGOTTEN}" in refused
    clip.rename(clip.with_name("copy.mp4"))
    table = folder / "data/sample/clips.csv"
    rows = table.read_text()
    table.write_text(rows.replace(FORGOTTEN, "non_stalking/copy.mp4"))
    refused = checkout.run("tailwatch", "forget", "--clip", FORGOTTEN, "--yes", succeeds=False)
    assert "as clip or copy: non_stalking/copy.mp4" in refused, "the same bytes under another name"

    clip.with_name("copy.mp4").unlink()
    table.write_text("".join(row for row in rows.splitlines(keepends=True) if not row.startswith(FORGOTTEN)))
    dry = json.loads(checkout.run("tailwatch", "-q", "forget", "--clip", FORGOTTEN, "--dry-run", "--json"))
    assert places(folder, FORGOTTEN, sha256) == before - {
        f"data/sample/{FORGOTTEN}",
        "data/sample/clips.csv",
    }, "a dry run removes nothing"
    told = json.loads(checkout.run("tailwatch", "-q", "forget", "--clip", FORGOTTEN, "--yes", "--json"))

    (report,) = (folder / ".tailwatch/forgotten").iterdir()
    assert places(folder, FORGOTTEN, sha256) == {str(report.relative_to(folder))}
    assert told["left"] == []
    assert told["clips"] == {FORGOTTEN: [sha256]}
    assert told["paths"] == dry["paths"]
    used = {row["model"]: row["clips"] for row in told["learned"]}
    assert used["version 1 of tailwatch"] == {FORGOTTEN: "train"}
    assert used["outs/train/logistic"] == {FORGOTTEN: "train"}
    left = sorted((folder / ".tailwatch/store").rglob("*.npz"))
    assert len(stored) - len(left) == 4, "fingerprint, frames, masks, measurements"

    text, _ = checkout.repro("reshape")
    assert f"0 decoded, {CLIPS - 1} reused, 0 set aside" in text
    again = json.loads(checkout.run("tailwatch", "-q", "forget", "--clip", FORGOTTEN, "--yes", "--json"))
    assert (again["store"], again["runs"], any(again["paths"].values())) == ([], [], False)
    assert places(folder, FORGOTTEN, sha256) == {str(report.relative_to(folder))}


def test_all_clips_of_a_source_are_forgotten(checkout):
    table = checkout.folder / "data/sample/clips.csv"
    rows = table.read_text().splitlines(keepends=True)
    (source,) = {row.split(",")[2] for row in rows[-1:]}
    gone = [row.split(",")[0] for row in rows if f",{source}," in row]
    assert 1 < len(gone) < len(rows) - 1
    digests = {}
    for clip_id in gone:
        clip = checkout.folder / "data/sample" / clip_id
        digests[clip_id] = hashlib.sha256(clip.read_bytes()).hexdigest()
        clip.unlink()
    table.write_text("".join(row for row in rows if row.split(",")[0] not in gone))
    told = json.loads(checkout.run("tailwatch", "-q", "forget", "--source", source, "--yes", "--json"))
    assert told["sources"] == {source: sorted(gone)}
    for clip_id, sha256 in digests.items():
        (place,) = places(checkout.folder, clip_id, sha256)
        assert place.startswith(".tailwatch/forgotten/")
