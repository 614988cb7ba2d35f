"""Strips of a clip and what is drawn over them."""

import re

import numpy as np
import pytest
from skimage import data

from components.features.columns import COLUMNS
from components.serving.blurring import all_detectors
from components.serving.overlay import measured_overlay, readings
from components.serving.pictures import GAP_PX, ClipPictures, frame_cells, segmented_cells, strip

HEIGHT, WIDTH = 256, 512
POINTS = np.array([[0, 0], [0, 30], [-20, -20], [20, -20], [-12, 12], [12, 12]], float)
CELL = 256


@pytest.fixture(scope="module")
def clip() -> ClipPictures:
    """Two frames: two persons measured in the first, nobody in the second."""
    picture = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    picture[:, :256] = data.astronaut()[::2, ::2]
    masks = np.zeros((2, HEIGHT, WIDTH), bool)
    masks[:, 20:, 20:240] = True
    points = np.full((2, 2, 6, 2), np.nan)
    points[0, 0], points[0, 1] = POINTS + np.array([112, 60]), POINTS + np.array([400, 80])
    boxes = np.full((2, 2, 4), np.nan)
    boxes[0] = (88, 30, 138, 95), (370, 40, 430, 120)
    numbers = np.full((2, 29), np.nan)
    for name, value in {
        "a_yaw": 30.0,
        "a_pitch": 0.0,
        "b_yaw": 0.0,
        "b_pitch": 20.0,
        "distance": 288.7,
    }.items():
        numbers[0, COLUMNS.index(name)] = value
    return ClipPictures(np.stack([picture, picture]), masks, boxes, points, numbers)


def test_no_face_is_left_in_any_cell(clip):
    find = all_detectors()
    cells = frame_cells(clip, CELL, find)
    people = segmented_cells(cells, clip.masks, find)
    assert find(strip(frame_cells(clip, CELL, None))), "there must be faces to begin with"
    for shown in (*cells, *people):
        assert find(shown) == []


def test_a_strip_is_its_cells_with_gaps_between(clip):
    cells = frame_cells(clip, CELL, None)
    assert strip(cells).shape == (HEIGHT * CELL // WIDTH, 2 * CELL + GAP_PX, 3)
    np.testing.assert_array_equal(strip(cells)[:, :CELL], cells[0])


def test_everything_but_persons_is_black(clip):
    cells = frame_cells(clip, WIDTH, None)
    people = segmented_cells(cells, clip.masks, None)
    assert not people[0][~clip.masks[0]].any()
    np.testing.assert_array_equal(people[0][clip.masks[0]], cells[0][clip.masks[0]])


def lines_of(svg: str, kind: str) -> list[tuple[float, ...]]:
    """x1, y1, x2, y2 of the lines of a class."""
    pattern = rf'<line class="{kind}" x1="(\S+)" y1="(\S+)" x2="(\S+)" y2="(\S+)">'
    return [tuple(map(float, found)) for found in re.findall(pattern, svg)]


def test_points_pose_and_distance_are_drawn_where_they_were_measured(clip):
    svg = measured_overlay(clip, CELL)
    assert svg.count("<circle") == 12
    assert lines_of(svg, "distance") == [(56.0, 30.0, 200.0, 40.0)]
    assert f'viewBox="0 0 {2 * CELL + GAP_PX} 128"' in svg


def test_the_axis_out_of_the_face_points_where_the_face_looks(clip):
    (turned, raised) = lines_of(measured_overlay(clip, CELL), "axis-out")
    assert turned[2] - turned[0] > 5  # yaw > 0: to the picture's right
    assert turned[3] - turned[1] == pytest.approx(0, abs=0.2)
    assert raised[3] - raised[1] < -5  # pitch > 0: upwards
    assert raised[2] - raised[0] == pytest.approx(0, abs=0.2)


def test_what_is_missing_is_not_drawn(clip):
    second = measured_overlay(clip, CELL).rpartition("<g ")[2]
    assert "<circle" not in second
    assert "<line" not in second
    assert readings(clip, 1) == dict.fromkeys(("a_yaw", "a_pitch", "b_yaw", "b_pitch", "distance"))
    assert readings(clip, 0)["distance"] == pytest.approx(288.7)
