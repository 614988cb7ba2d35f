"""Two real faces that ordinary packages carry."""

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
