"""Pictures that ordinary packages carry."""

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def astronaut():
    """A real person, 512 x 512, from the hips up."""
    from skimage import data

    return data.astronaut()


@pytest.fixture(scope="session")
def empty_room():
    """A smooth wall over a darker floor, 640 x 360."""
    room = np.full((360, 640, 3), 170, np.uint8)
    room[240:] = (110, 90, 70)
    return cv2.GaussianBlur(room, (0, 0), 9)


@pytest.fixture(scope="session")
def far_person(astronaut, empty_room):
    """The astronaut, small, in the empty room; and the rows and columns where she is."""
    scene = empty_room.copy()
    scene[120:248, 400:528] = cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA)
    return scene, (slice(120, 248), slice(400, 528))
