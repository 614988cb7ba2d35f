"""featurize: from clips to the table of 29 numbers."""

import logging
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from components.core.files import file_sha256, read_json
from components.core.tables import read_csv, write_csv
from components.datasets.clips import Clip
from components.features.columns import COLUMNS
from components.features.table import TABLE_COLUMNS, read_numbers
from components.simulation.photographs import PHOTOGRAPHS, read_picture
from pipelines import featurize
from pipelines.artifacts import Project, write_clips

PARAMS = """
dataset: {root: clips, classes: [apart, together]}
samplings: {five: {kind: uniform, frames: 5}}
views: {numbers: {sampling: five, numbers: true}}
models: {logistic: {view: numbers, runs_on: cpu}}
resources: {cpu: {pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}
segment: {backend: none}
ingest: {max_bad_fraction: 0.5}
featurize: {sampling: five, min_coverage: 0.5, look_in: frame}
"""


def portrait(name: str, side: int) -> np.ndarray:
    photograph = PHOTOGRAPHS[name]
    left, top = (int(v - photograph.face_height_px) for v in photograph.points[0])
    size = int(2 * photograph.face_height_px)
    crop = read_picture(photograph.package, photograph.file)[
        max(top, 0) : top + size, max(left, 0) : left + size
    ]
    return cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)


def write_film(path: Path, frames: list[np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        for frame in frames:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        film.mux(stream.encode())


def two_walkers(n: int = 10) -> list[np.ndarray]:
    """Hopper, larger, goes right on the left side; the astronaut stands on the right."""
    frames = []
    for k in range(n):
        frame = np.full((360, 640, 3), 100, np.uint8)
        frame[60:300, 20 + 4 * k : 260 + 4 * k] = portrait("hopper", 240)
        frame[80:240, 440:600] = portrait("astronaut", 160)
        frames.append(frame)
    return frames


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose ingest, extract and segment have run on two clips: two walkers, and nobody."""
    (tmp_path / "params.yaml").write_text(PARAMS)
    project = Project.open(tmp_path)
    write_film(tmp_path / "clips" / "together" / "walk.mp4", two_walkers())
    write_film(tmp_path / "clips" / "apart" / "empty.mp4", [np.full((360, 640, 3), 100, np.uint8)] * 10)
    lay_out(project, ["apart/empty.mp4", "together/walk.mp4"])
    return project


def lay_out(project: Project, uris: list[str]) -> None:
    clips = [
        Clip(uri, uri, None, None, file_sha256(path), path.stat().st_size, "folder")
        for uri in uris
        for path in [project.root / "clips" / uri]
    ]
    write_clips(project.out("ingest", "clips.csv"), clips)
    rows = [{"clip_id": uri, "status": "ok"} for uri in uris]
    write_csv(project.out("segment", "index.csv"), ("clip_id", "status"), rows)


def test_measures_two_people_and_nobody(project: Project) -> None:
    featurize.run(project)
    path = project.out("featurize", "table.csv")
    rows = read_csv(path, TABLE_COLUMNS)
    assert [(row["clip_id"], row["k"]) for row in rows] == [
        (clip, str(k)) for clip in ("apart/empty.mp4", "together/walk.mp4") for k in range(5)
    ]
    table = read_numbers(path)
    assert np.isnan(table["apart/empty.mp4"]).all()
    walk = dict(zip(COLUMNS, table["together/walk.mp4"].T, strict=True))
    nose = PHOTOGRAPHS["hopper"].points[0]
    assert (np.diff(walk["a_nose_x"]) > 4).all(), f"A is the larger, who walks; nose of the photograph {nose}"
    assert np.ptp(walk["b_nose_x"]) < 3
    assert walk["distance"] == pytest.approx(
        np.hypot(walk["a_nose_x"] - walk["b_nose_x"], walk["a_nose_y"] - walk["b_nose_y"]), abs=0.01
    )
    assert np.abs(walk["a_yaw"]).max() < 15
    coverage = read_json(project.out("featurize", "coverage.json"))
    assert coverage["clips"]["together/walk.mp4"] == {"coverage": 1.0, "a": 1.0, "b": 1.0, "flagged": False}
    assert coverage["clips"]["apart/empty.mp4"] == {"coverage": 0.0, "a": 0.0, "b": 0.0, "flagged": True}
    assert coverage["set_aside"] == {}


def test_second_run_measures_nothing_and_writes_the_same_bytes(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "tailwatch"):
        featurize.run(project)
        first = project.out("featurize", "table.csv").read_bytes()
        featurize.run(project)
    assert project.out("featurize", "table.csv").read_bytes() == first
    assert [record.message for record in caplog.records] == [
        "2 measured, 0 reused, 0 set aside",
        "0 measured, 2 reused, 0 set aside",
    ]


def test_a_clip_that_cannot_be_read_is_set_aside(project: Project) -> None:
    broken = project.root / "clips" / "apart" / "broken.mp4"
    broken.write_bytes(b"no film")
    lay_out(project, ["apart/broken.mp4", "together/walk.mp4"])
    featurize.run(project)
    assert list(read_numbers(project.out("featurize", "table.csv"))) == ["together/walk.mp4"]
    assert list(read_json(project.out("featurize", "coverage.json"))["set_aside"]) == ["apart/broken.mp4"]
