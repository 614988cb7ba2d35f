"""The whole flow on a small rendered sample: what runs, what is reused, what follows from a change."""

import csv
import shutil

import pytest

from tests.flow import copy_project

pytestmark = pytest.mark.slow

CLIPS = 36
STAGES_BEFORE_TRAIN = {
    "ingest",
    "extract",
    "segment",
    "featurize",
    "normalize",
    "reshape@numbers",
    "reshape@people64",
}


def _shrink(params):
    params["views"] = {
        "numbers": params["views"]["numbers"],
        "people64": {**params["views"]["people128"], "height": 64, "width": 64},
    }
    params["models"]["fusion"]["view"] = "people64"
    params["split"]["strategy"] = "random"  # so few films cannot fill three sides
    params["train"].update(epochs=2, patience=2)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, project_root):
    made = copy_project(project_root, tmp_path_factory.mktemp("flow"))
    made.run("tailwatch", "sample", "data/sample", "--clips", str(CLIPS))
    made.params(_shrink)
    made.repro()
    return made


def test_a_second_repro_runs_nothing(checkout):
    text, ran = checkout.repro()
    assert ran == set()
    assert "up to date" in text


def test_every_clip_arrives(checkout):
    with (checkout.folder / "outs/evaluate/fusion/predictions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    with (checkout.folder / "outs/ingest/labels.csv").open() as stream:
        labels = {row["clip_id"]: row for row in csv.DictReader(stream) if row["holdout"]}
    assert {row["clip_id"] for row in rows} == set(labels)
    assert all(row["split"] == labels[row["clip_id"]]["holdout"] for row in rows)


def test_one_clip_more_costs_one_clip(checkout):
    clips = sorted((checkout.folder / "data/sample/stalking").glob("*.mp4"))
    added = clips[0].with_name("added.mp4")
    shutil.copy(clips[0], added)
    with added.open("ab") as stream:  # other bytes, the same pictures
        stream.write(b"\x00\x00\x00\x08free")
    table = checkout.folder / "data/sample/clips.csv"
    before = table.read_text()
    table.write_text(before + "stalking/added.mp4,stalking,added-film\n")
    text, ran = checkout.repro("reshape")
    for verb in ("decoded", "segmented", "measured"):
        assert f"1 {verb}, {CLIPS} reused, 0 set aside" in text
    assert ran == STAGES_BEFORE_TRAIN - {"normalize"}
    added.unlink()
    table.write_text(before)
    checkout.repro()


def test_a_lost_store_comes_again(checkout):
    index = checkout.folder / "outs/featurize/table.csv"
    before = index.read_bytes()
    shutil.rmtree(checkout.folder / ".tailwatch/store")
    checkout.run("dvc", "repro", "--force", "--single-item", "featurize")
    assert index.read_bytes() == before


def test_a_corrected_label_decodes_nothing(checkout):
    folder = checkout.folder / "data/sample"
    table = folder / "clips.csv"
    before = table.read_text()
    lines = before.splitlines(keepends=True)
    name = lines[1].split(",")[0]
    moved = name.replace("non_stalking/", "stalking/") if name.startswith("non_") else f"non_{name}"
    assert name.split("/")[0] in {"stalking", "non_stalking"}
    shutil.move(folder / name, folder / moved)
    table.write_text(before.replace(f"{name},{name.split('/')[0]}", f"{moved},{moved.split('/')[0]}"))
    text, _ = checkout.repro("reshape")
    for verb in ("decoded", "segmented", "measured"):
        assert f"0 {verb}, {CLIPS} reused, 0 set aside" in text
    shutil.move(folder / moved, folder / name)
    table.write_text(before)
    checkout.repro()


def test_a_removed_model_changes_the_comparison_only(checkout):
    def remove(params):
        del params["models"]["logistic"]

    params = checkout.folder / "params.yaml"
    before = params.read_text()
    checkout.params(remove)
    _, ran = checkout.repro()
    assert ran == {"compare"}
    assert "logistic" not in (checkout.folder / "outs/compare/table.csv").read_text()
    assert (checkout.folder / "outs/evaluate/logistic").is_dir()
    params.write_text(before)
    _, ran = checkout.repro()
    assert ran <= {"compare"}


def test_a_stray_file_beside_an_output_changes_nothing_that_is_read(checkout):
    before = (checkout.folder / "outs/compare/comparison.json").read_bytes()
    for folder in ("outs/evaluate/stranger", "outs/train/fusion"):
        (checkout.folder / folder).mkdir(exist_ok=True)
        (checkout.folder / folder / "stray.txt").write_text("stray")
    _, ran = checkout.repro()
    assert ran <= {"compare"}
    assert (checkout.folder / "outs/compare/comparison.json").read_bytes() == before


def test_a_wrong_parameter_ends_with_a_sentence(checkout):
    params = checkout.folder / "params.yaml"
    before = params.read_text()
    checkout.params(lambda values: values["featurize"].update(detecter="dlib_hog"))
    text = checkout.run("dvc", "repro", succeeds=False)
    params.write_text(before)
    assert "featurize.detecter is not known" in text
    assert "Traceback" not in text


def test_track_promote_and_report_end_the_job(checkout):
    checkout.run("tailwatch", "track")
    again = checkout.run("tailwatch", "track")
    assert "0 created, 0 brought up to date" in again
    verdict = checkout.run("tailwatch", "promote")
    assert any(word in verdict for word in ("PROMOTE", "HOLD", "REJECT"))
    checkout.run("tailwatch", "report")
    assert (checkout.folder / "reports/index.html").stat().st_size > 10_000
    _, ran = checkout.repro()
    assert ran == set()
