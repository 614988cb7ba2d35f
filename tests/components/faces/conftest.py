"""Two real faces that ordinary packages carry."""

import cv2
import numpy as np
import pytest

from components.simulation.photographs import PHOTOGRAPHS, Photograph, read_picture


@pytest.fixture(scope="session", params=sorted(PHOTOGRAPHS))
def photograph(request: pytest.FixtureRequest) -> Photograph:
    """A photograph with points marked by hand."""
    return PHOTOGRAPHS[request.param]


@pytest.fixture(scope="session")
def pixels(photograph: Photograph) -> np.ndarray:
    """The photograph's pixels (H, W, 3) uint8 RGB."""
    return read_picture(photograph.package, photograph.file)


@pytest.fixture(scope="session")
def two_people() -> np.ndarray:
    """A frame (480, 900, 3) uint8 RGB with the larger face (Hopper's) on the right."""
    frame = np.full((480, 900, 3), 90, np.uint8)
    astronaut = read_picture(PHOTOGRAPHS["astronaut"].package, PHOTOGRAPHS["astronaut"].file)[:400, 60:400]
    hopper = read_picture(PHOTOGRAPHS["hopper"].package, PHOTOGRAPHS["hopper"].file)[:460]
    frame[40:440, 20:360] = astronaut
    frame[10 : 10 + len(hopper), 380 : 380 + hopper.shape[1]] = hopper
    return cv2.GaussianBlur(frame, (0, 0), 0.5)
