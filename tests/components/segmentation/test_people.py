import numpy as np
import pytest

from components.segmentation.people import INPUT_PX, anchors, decode, find_people
from components.segmentation.regions import Pyramid, Square, whole

ANCHORS = 2254


def _outputs(anchor, hips_px, top_px, logit=4.0):
    """What the network says when one anchor sees a person at these input pixels."""
    numbers, logits = np.zeros((ANCHORS, 12), np.float32), np.full(ANCHORS, -9.0, np.float32)
    numbers[anchor, 4:6] = hips_px - anchors()[anchor]
    numbers[anchor, 6:8] = top_px - anchors()[anchor]
    logits[anchor] = logit
    return numbers, logits


def test_anchors_are_the_cells_of_five_layers():
    assert anchors().shape == (ANCHORS, 2)
    np.testing.assert_allclose(anchors()[:4], [[4, 4], [4, 4], [12, 4], [12, 4]])
    np.testing.assert_allclose(anchors()[2 * 28 * 28], [8, 8])
    np.testing.assert_allclose(anchors()[-6:], [[208, 208]] * 6)


@pytest.mark.parametrize("anchor", [0, 777, 1700, 2253])
def test_a_person_is_placed_in_the_frame(anchor):
    numbers, logits = _outputs(anchor, (112.0, 150.0), (112.0, 70.0))
    (person,) = decode(numbers, logits, Square((300.0, 200.0), 2.0 * INPUT_PX), 0.5)
    assert person.hips_px == pytest.approx((300.0, 200.0 + 2 * 38))
    assert person.top_px == pytest.approx((300.0, 200.0 - 2 * 42))
    assert person.radius_px == pytest.approx(160.0)
    assert person.score == pytest.approx(1 / (1 + np.exp(-4.0)))


def test_weak_and_extreme_logits_are_harmless():
    numbers, logits = _outputs(5, (1.0, 1.0), (1.0, 0.0), logit=-1e6)
    assert decode(numbers, logits, whole(10, 10), 0.5) == []


def test_a_real_person_is_found_once(astronaut):
    height, width = astronaut.shape[:2]
    squares = [whole(height, width), Square((width / 2, height / 2), 0.9 * width)]
    people = find_people(Pyramid(astronaut), squares, 0.5)
    assert len(people) == 1
    assert people[0].top_px[1] < people[0].hips_px[1]
    assert abs(people[0].top_px[0] - 224) < 60  # her face is at x 180 to 268


def test_nobody_is_found_in_an_empty_room(empty_room):
    assert find_people(Pyramid(empty_room), [whole(*empty_room.shape[:2])], 0.5) == []
