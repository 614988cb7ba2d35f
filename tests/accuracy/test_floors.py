"""The defaults stay as good as docs/accuracy.md says, on a small part of what it measures."""

import numpy as np
import pytest

from components.faces.settings import FeaturizeSettings
from components.segmentation.base import SegmentSettings
from tests.accuracy import films, real
from tests.accuracy.conftest import CLIPS
from tests.accuracy.marks import read_marks
from tests.accuracy.poses import LARGE_PX, is_frontal, largest_on_own_model, pose_errors

DEFAULT = {"default": SegmentSettings()}


@pytest.fixture(scope="module")
def measured(sample):
    return films.measure_faces(sample, CLIPS, FeaturizeSettings())


@pytest.fixture(scope="module")
def walking_and_turning(shared_data):
    marks = [mark for mark in read_marks() if "two-people" in mark["clip"]]
    return real.measure_clips(shared_data, marks, DEFAULT, {})


def test_the_solver_finds_poses_of_its_own_model():
    assert largest_on_own_model() < 0.1


def test_every_large_face_of_films_is_found(measured):
    large = [face for face in measured.faces if face.height_px >= LARGE_PX and is_frontal(face)]
    assert len(large) > 50
    assert all(face.is_found for face in large)
    assert measured.false == 0


def test_poses_and_points_of_films(measured):
    large = [face for face in measured.faces if face.height_px >= LARGE_PX and is_frontal(face)]
    errors = pose_errors(large)
    assert errors.count == len(large)
    assert errors.yaw < 7
    assert errors.pitch < 9
    assert max(errors.yaw_less_constant, errors.pitch_less_constant) < 5
    assert errors.far_wrong == 0
    assert np.mean([face.points_error for face in large]) < 0.06


def test_distances_of_films(measured):
    errors = [pair.error for pair in measured.apart if pair.heights >= films.APART]
    assert len(errors) > 30
    assert np.mean(errors) < 0.02
    assert np.percentile(errors, 95) < 0.03


def test_masks_of_films(sample):
    iou, recall, _ = films.masks_against_truth(sample, 4, DEFAULT)["default"][:3]
    assert iou > 0.75
    assert recall > 0.97


def test_every_face_of_two_people_is_found_and_nothing_else(walking_and_turning):
    faces = [found for clip in walking_and_turning for found in clip.by_segmenter["default"]]
    assert [hit for face in faces for hit in (*face.large, *face.small)] == [True] * 20
    assert sum(face.false for face in faces) == 0


def test_nearly_all_of_near_people_is_masked(walking_and_turning):
    scores = [score for clip in walking_and_turning for score in clip.scores["default"]]
    recalls = [score.outlined.recall for score in scores if score.outlined]
    assert len(recalls) == 7
    assert min(recalls) > 0.95
    assert max(score.outside for score in scores) < 0.02
    assert all(share > 0.8 for score in scores for share in score.faces)
