"""The photographs and the marks on them."""

from itertools import pairwise

import numpy as np
import pytest

from components.core.errors import UsageError
from components.simulation.photographs import (
    PHOTOGRAPHS,
    POINT_NAMES,
    Photograph,
    draw_marks,
    mirrored,
    packaged_file,
    read_picture,
)

EACH = [pytest.param(photograph, id=name) for name, photograph in PHOTOGRAPHS.items()]


@pytest.mark.parametrize("photograph", EACH)
def test_marks_lie_in_the_picture_and_where_a_face_has_them(photograph: Photograph) -> None:
    height, width = read_picture(photograph.package, photograph.file).shape[:2]
    at = dict(zip(POINT_NAMES, photograph.points_px, strict=True))
    assert all(0 <= x < width and 0 <= y < height for x, y in at.values())
    assert at["left_eye"][0] < at["left_mouth"][0] < at["nose"][0] < at["right_mouth"][0] < at["right_eye"][0]
    heights = [
        photograph.hairline_y,
        at["left_eye"][1],
        at["nose_tip"][1],
        at["nose"][1],
        at["left_mouth"][1],
    ]
    assert heights == sorted(heights)
    assert at["chin"][1] > at["right_mouth"][1]


@pytest.mark.parametrize("photograph", EACH)
def test_outlines_run_downwards_with_the_face_inside_the_head(photograph: Photograph) -> None:
    for rows in (photograph.outline, photograph.face):
        assert all(above[0] < below[0] for above, below in pairwise(rows))
        assert all(left < right for _, left, right in rows)
    head = np.array(photograph.outline)
    for y, left, right in photograph.face:
        assert left >= np.interp(y, head[:, 0], head[:, 1]) - 1
        assert right <= np.interp(y, head[:, 0], head[:, 2]) + 1


@pytest.mark.parametrize("photograph", EACH)
def test_mirroring_twice_gives_the_marks_back(photograph: Photograph) -> None:
    width = read_picture(photograph.package, photograph.file).shape[1]
    once = mirrored(photograph, width)
    assert once.points[2][0] < once.points[3][0]
    twice = mirrored(once, width)
    np.testing.assert_allclose(twice.points_px, photograph.points_px)
    assert twice.hair_box == photograph.hair_box


def test_marks_are_drawn_over_the_face() -> None:
    photograph = PHOTOGRAPHS["astronaut"]
    picture = draw_marks(photograph, magnify=2)
    red, green, blue = np.moveaxis(picture, -1, 0)
    crosses = (green > 200) & (red < 90) & (blue < 90)
    assert crosses.sum() >= 10 * len(photograph.points)


@pytest.mark.parametrize(
    ("package", "file", "message"),
    [
        pytest.param("no_such_package_here", "a.png", "not installed", id="package"),
        pytest.param("skimage", "data/no_such_file.png", "no such file", id="file"),
    ],
)
def test_a_missing_photograph_is_named(package: str, file: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        packaged_file(package, file)
