import json

import numpy as np
import pytest

from components.core.errors import BadDataError, UsageError
from components.core.files import array_digest
from components.core.tables import write_csv
from components.datasets.clips import Clip
from components.features.columns import COLUMNS
from components.features.table import TABLE_COLUMNS
from pipelines import reshape
from pipelines.artifacts import Project, write_clips
from pipelines.profile import use_profile

CLIPS = ("b/2.mp4", "a/1.mp4", "a/ü 3.mp4")


def _clip(clip_id):
    return Clip(clip_id, clip_id, None, None, clip_id.encode().hex(), 1, "")


def _pixels(number):
    return np.full((5, 128, 128, 3), number, np.uint8)


def _times_s(number):
    return [10.0 * number + k / 5 for k in range(5)]


def _meta(number):
    """Twenty frames were sampled; more of them were in focus in each clip."""
    return {"times_s": _times_s(number), "frames": 20, "kept": 8 + number}


@pytest.fixture
def project(tmp_path):
    """Three clips whose pictures lie in the store and whose files are gone."""
    use_profile(tmp_path, "demo")
    project = Project.open(tmp_path)
    write_clips(project.out("ingest", "clips.csv"), map(_clip, CLIPS))
    for number, clip_id in enumerate(CLIPS):
        key = project.chain.keys.tensors(_clip(clip_id), "people128")
        project.store.put("tensors", key, {"frames": _pixels(number)}, _meta(number))
    rows = [_row(clip_id, k, number) for number, clip_id in enumerate(CLIPS) for k in range(5)]
    write_csv(project.out("featurize", "table.csv"), TABLE_COLUMNS, reversed(rows))
    return project


def _row(clip_id, k, number):
    """Numbers 100 * clip + 10 * k; no distance on frames 0 and 1, nothing at all in the last clip."""
    values = dict.fromkeys(COLUMNS, "" if number == 2 else 100 * number + 10 * k)
    return {"clip_id": clip_id, "k": k, **values, **({"distance": ""} if k < 2 else {})}


def test_clips_stand_in_the_order_of_their_ids_in_every_file(project):
    reshape.run(project, "people128")
    folder = project.out("reshape", "people128")
    clips = json.loads((folder / "clips.json").read_text())["clips"]
    assert clips == sorted(CLIPS)
    frames, numbers = (np.load(folder / name) for name in ("frames.npy", "numbers.npy"))
    assert frames.shape == (3, 5, 128, 128, 3)
    assert numbers.shape == (3, 5, 29)
    times_s = np.load(folder / "times_s.npy")
    for k, clip_id in enumerate(clips):
        number = CLIPS.index(clip_id)
        np.testing.assert_array_equal(frames[k], _pixels(number))
        assert times_s[k].tolist() == _times_s(number)
        if number < 2:
            np.testing.assert_array_equal(numbers[k, :, 0], 100 * number + 10 * np.arange(5))


def test_a_training_can_name_clips_without_opening_their_pixels(project):
    reshape.run(project, "people128")
    folder = project.out("reshape", "people128")
    about, frames = json.loads((folder / "clips.json").read_text()), np.load(folder / "frames.npy")
    assert about["frames"]["shape"] == list(frames.shape)
    assert about["frames"]["digests"] == [array_digest(clip) for clip in frames]
    assert about["frames"]["files"] == [_clip(clip_id).sha256 for clip_id in about["clips"]]
    reshape.run(project, "numbers")
    assert "frames" not in json.loads((project.out("reshape", "numbers") / "clips.json").read_text())


def test_what_is_in_focus_is_counted(project, caplog):
    caplog.set_level("INFO", logger="tailwatch")
    reshape.run(project, "people128")
    about = json.loads((project.out("reshape", "people128") / "clips.json").read_text())["frames"]
    assert (about["sampled"], about["kept"]) == (60, 27)
    assert "people128: 27 of 60 frames hold the main motion (0.45)" in caplog.text


def test_missing_numbers_are_carried_within_the_clip_and_said(project):
    reshape.run(project, "numbers")
    folder = project.out("reshape", "numbers")
    clips = json.loads((folder / "clips.json").read_text())["clips"]
    first, unseen = clips.index("b/2.mp4"), clips.index("a/ü 3.mp4")
    numbers, measured = (np.load(folder / name) for name in ("numbers.npy", "measured.npy"))
    np.testing.assert_array_equal(numbers[first, :, 28], [20, 20, 20, 30, 40])
    np.testing.assert_array_equal(measured[first, :, 28], [False, False, True, True, True])
    assert np.isnan(numbers[unseen]).all()
    assert not (folder / "frames.npy").exists()


def test_the_same_bytes_again(project):
    folder = project.out("reshape", "people128")
    runs = []
    for _ in range(2):
        reshape.run(project, "people128")
        runs.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert runs[0] == runs[1]
    assert set(runs[0]) == {"clips.json", "frames.npy", "times_s.npy", "numbers.npy", "measured.npy"}


def test_a_table_of_other_clips_is_refused(project):
    write_clips(project.out("ingest", "clips.csv"), map(_clip, CLIPS[:1]))
    with pytest.raises(BadDataError, match=r"not in clips\.csv"):
        reshape.run(project, "numbers")


def test_clips_with_other_numbers_of_frames_are_named_with_what_to_do(project):
    rows = [_row(clip_id, k, number) for number, clip_id in enumerate(CLIPS) for k in range(5 + number)]
    write_csv(project.out("featurize", "table.csv"), TABLE_COLUMNS, rows)
    with pytest.raises(BadDataError, match=r"a/.+ 3\.mp4 has numbers float32 \(7, 29\).*uniform sampling"):
        reshape.run(project, "numbers")


def test_clips_with_other_numbers_of_pixels_are_named_with_what_to_do(project):
    key = project.chain.keys.tensors(_clip(CLIPS[0]), "people128")
    project.store.remove("tensors", key)
    project.store.put("tensors", key, {"frames": _pixels(0)[:3]}, _meta(0))
    with pytest.raises(BadDataError, match=r"b/2\.mp4 has pixels uint8 \(3, .*uniform sampling, or `focus`"):
        reshape.run(project, "people128")


def test_an_unknown_view_lists_the_known(project):
    with pytest.raises(UsageError, match="one of numbers, people128"):
        reshape.run(project, "wide")


def test_the_tensors_are_a_file_as_numpy_writes_it(project, tmp_path):
    reshape.run(project, "people128")
    written = project.out("reshape", "people128", "frames.npy")
    again = tmp_path / "again.npy"
    np.save(again, np.load(written))
    assert written.read_bytes() == again.read_bytes()
