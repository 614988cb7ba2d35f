"""The segment stage over tiny real films: counted, reused, set aside, and stale only where it must be."""

import csv
import logging

import cv2
import numpy as np
import pytest
import yaml

from components.core.files import file_sha256
from components.core.tables import write_csv
from components.datasets.clips import Clip
from components.segmentation.base import unpack_masks
from pipelines import segment
from pipelines.artifacts import Project, read_clips, usable_clips, write_clips

PARAMS = {
    "dataset": {"root": "films", "classes": ["calm", "stalking"]},
    "samplings": {"uniform2": {"kind": "uniform", "frames": 2}},
    "views": {"small": {"sampling": "uniform2", "height": 8, "width": 8, "background": "black"}},
    "models": {"majority": {"view": "small", "runs_on": "cpu"}},
    "resources": {"cpu": {"pool": "cpu", "cpu": 1, "memory": "1Gi", "gpu": 0, "minutes": 1, "retries": 0}},
    "segment": {"backend": "none"},
    "featurize": {"sampling": "uniform2"},
    "ingest": {"max_bad_fraction": 0.5},
}


def _film(path, frames=20, shade=120):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (128, 48))
    for k in range(frames):
        picture = np.full((48, 128, 3), shade, np.uint8)
        picture[10:30, 5 + 5 * k : 20 + 5 * k] = 250
        writer.write(picture)
    writer.release()


@pytest.fixture
def project(tmp_path):
    """Two films that ingest and extract have accepted."""
    for name, shade in (("a.mp4", 100), ("b.mp4", 60)):
        _film(tmp_path / "films" / name, shade=shade)
    return _with(tmp_path, PARAMS, ("a.mp4", "b.mp4"))


def _with(folder, params, names):
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    opened = Project.open(folder)
    paths = {name: folder / "films" / name for name in names}
    write_clips(
        opened.out("ingest", "clips.csv"),
        [
            Clip(name, name, None, None, file_sha256(path), path.stat().st_size, "folder")
            for name, path in paths.items()
        ],
    )
    rows = [{"clip_id": name, "status": "ok"} for name in names]
    write_csv(opened.out("extract", "index.csv"), ("clip_id", "status"), rows)
    return opened


def _run(opened, caplog):
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="tailwatch"):
        segment.run(opened)
    with opened.out("segment", "index.csv").open(newline="") as stream:
        return list(csv.DictReader(stream)), caplog.messages[-1]


def test_every_clip_is_made_once(project, caplog):
    rows, said = _run(project, caplog)
    assert said == "2 segmented, 0 reused, 0 set aside"
    assert [row["clip_id"] for row in rows] == ["a.mp4", "b.mp4"]
    assert {(row["sampling"], row["status"], row["coverage"], row["person_share"]) for row in rows} == {
        ("uniform2", "ok", "1.0000", "1.000000")
    }
    before = project.out("segment", "index.csv").read_bytes()
    rows, said = _run(project, caplog)
    assert said == "0 segmented, 2 reused, 0 set aside"
    assert project.out("segment", "index.csv").read_bytes() == before


def test_the_index_leads_to_the_masks(project, caplog):
    rows, _ = _run(project, caplog)
    stored = project.store.get("masks", rows[0]["key"])
    assert stored.digest == rows[0]["digest"]
    masks = unpack_masks(stored["masks"], tuple(stored.meta["shape"]))
    assert masks.shape == (2, 48, 128)
    assert masks.all()


def test_one_clip_more_costs_one_clip(project, caplog):
    _run(project, caplog)
    _film(project.root / "films" / "c.mp4", shade=30)
    _, said = _run(_with(project.root, PARAMS, ("a.mp4", "b.mp4", "c.mp4")), caplog)
    assert said == "1 segmented, 2 reused, 0 set aside"


@pytest.mark.parametrize(
    ("section", "said"),
    [
        pytest.param(
            {"backend": "none", "dilate_px": 9}, "0 segmented, 2 reused, 0 set aside", id="idle option"
        ),
        pytest.param({"backend": "selfie"}, "2 segmented, 0 reused, 0 set aside", id="another backend"),
    ],
)
def test_only_settings_in_force_make_masks_stale(project, caplog, section, said):
    _run(project, caplog)
    changed = _with(project.root, {**PARAMS, "segment": section}, ("a.mp4", "b.mp4"))
    assert _run(changed, caplog)[1] == said


def test_motion_takes_its_dense_sampling(project, caplog):
    params = {
        **PARAMS,
        "samplings": {**PARAMS["samplings"], "dense": {"kind": "dense", "per_second": 10}},
        "segment": {"backend": "motion", "dilate_px": 0, "motion": {"sampling": "dense"}},
    }
    rows, said = _run(_with(project.root, params, ("a.mp4", "b.mp4")), caplog)
    assert said == "2 segmented, 0 reused, 0 set aside"
    assert all(0 < float(row["person_share"]) < 0.5 for row in rows)


def test_a_bad_clip_is_set_aside_with_its_reason(project, caplog):
    (project.root / "films" / "b.mp4").write_bytes(b"no film")
    broken = _with(project.root, PARAMS, ("a.mp4", "b.mp4"))
    rows, said = _run(broken, caplog)
    assert said == "1 segmented, 0 reused, 1 set aside"
    assert rows[1]["status"] == "bad"
    assert "b.mp4" in rows[1]["reason"]
    assert [clip.clip_id for clip in usable_clips(broken, "segment")] == ["a.mp4"]
    assert len(read_clips(broken)) == 2


def test_masks_that_nobody_needs_are_not_made(project, caplog):
    params = {**PARAMS, "featurize": {"sampling": "uniform2", "look_in": "frame"}}
    params["views"] = {"small": {**PARAMS["views"]["small"], "background": "keep"}}
    idle = _with(project.root, params, ("a.mp4", "b.mp4"))
    rows, said = _run(idle, caplog)
    assert said == "0 segmented, 2 reused, 0 set aside"
    assert {(row["status"], row["sampling"], row["key"]) for row in rows} == {("ok", "", "")}
    assert len(usable_clips(idle, "segment")) == 2
