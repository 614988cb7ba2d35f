"""A small sample on disk: frames, truth, sameness."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from components.core.errors import BadDataError, UsageError
from components.core.files import file_sha256
from components.simulation.sample import SampleSettings, make_film_clips, plan
from components.simulation.truth import Truth, read_truth

SMALL = SampleSettings(clips=2, clips_per_film=2, width_px=480, height_px=270, shortest_s=0.8, longest_s=1.2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    make_film_clips(plan(SMALL)[0], SMALL, folder / "films", folder / "truth")
    return folder


def truths(folder: Path) -> list[Truth]:
    return [read_truth(path) for path in sorted((folder / "truth").glob("*.npz"))]


def decoded(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_every_clip_decodes_to_as_many_frames_as_its_truth_has(made: Path) -> None:
    for truth, path in zip(
        truths(made), sorted((made / "films").glob("*/*.mp4"), key=lambda p: p.stem), strict=True
    ):
        frames = decoded(path)
        assert frames.shape == (len(truth.times_s), 270, 480, 3)
        assert path.parent.name == truth.label
        np.testing.assert_allclose(np.diff(truth.times_s), 1 / 12)


def test_masks_hold_the_visible_points_and_do_not_overlap(made: Path) -> None:
    for truth in truths(made):
        assert truth.masks.shape == (len(truth.times_s), 2, 135, 240)
        assert not (truth.masks[:, 0] & truth.masks[:, 1]).any()
        for k, person, point in zip(*np.nonzero(~truth.hidden), strict=True):
            x, y = np.round(truth.points_px[k, person, point] / 2).astype(int)
            assert truth.masks[k, person, max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].any()


def test_distance_is_between_the_noses_and_the_near_face_comes_first(made: Path) -> None:
    for truth in truths(made):
        apart = truth.points_px[:, 0, 0] - truth.points_px[:, 1, 0]
        np.testing.assert_allclose(truth.distance_px**2, (apart**2).sum(axis=1))
        assert (truth.face_height_px[:, 0] > truth.face_height_px[:, 1]).all()


def test_people_differ_from_the_background(made: Path) -> None:
    """Edges of the masks are edges of the picture, so the masks lie where the people were drawn."""
    path = next((made / "films").glob("*/*.mp4"))
    frame = decoded(path)[0].astype(float).mean(axis=2)[::2, ::2]
    mask = read_truth(made / "truth" / f"{path.stem}.npz").masks[0].any(axis=0)
    steps = np.abs(np.diff(frame, axis=1))
    assert steps[np.diff(mask.astype(int), axis=1) != 0].mean() > 2 * steps.mean()


def test_same_seed_same_bytes_and_another_seed_others(made: Path, tmp_path: Path) -> None:
    for name, seed in (("again", SMALL.seed), ("other", SMALL.seed + 1)):
        settings = replace(SMALL, seed=seed)
        make_film_clips(plan(settings)[0], settings, tmp_path / name, tmp_path / f"{name}-truth")
    for path in sorted((made / "films").glob("*/*.mp4")):
        twin = path.relative_to(made / "films")
        assert file_sha256(path) == file_sha256(tmp_path / "again" / twin)
        assert file_sha256(path) != file_sha256(tmp_path / "other" / twin)
        truth = f"{path.stem}.npz"
        assert file_sha256(made / "truth" / truth) == file_sha256(tmp_path / "again-truth" / truth)


def test_plan_has_both_classes_in_every_film_and_names_every_clip_once() -> None:
    films = plan(SampleSettings())
    clips = [clip for film in films for clip in film.clips]
    assert len(clips) == len({clip.name for clip in clips}) == 280
    for film in films:
        assert sorted(clip.label for clip in film.clips) == ["non_stalking"] * 5 + ["stalking"] * 5


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(SampleSettings(clips=0), id="no clips"),
        pytest.param(SampleSettings(width_px=961), id="odd width"),
    ],
)
def test_impossible_sizes_are_refused(settings: SampleSettings) -> None:
    with pytest.raises(UsageError, match="even frame size"):
        plan(settings)


def test_a_file_that_is_no_truth_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"nothing")
    with pytest.raises(BadDataError, match="no truth of a simulated clip"):
        read_truth(tmp_path / "x.npz")
