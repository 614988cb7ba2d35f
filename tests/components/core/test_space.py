"""Room is asked for where the results will lie."""

import os

import pytest

from components.core.errors import ResourceError
from components.core.space import RESERVE_BYTES, check_room


def free_bytes(folder):
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


@pytest.mark.parametrize("name", ["", "not/yet/there"])
def test_what_fits_passes(name, tmp_path):
    check_room(tmp_path / name, free_bytes(tmp_path) / 2 - RESERVE_BYTES, "The frames")
    check_room(tmp_path / name, 0, "Nothing")


@pytest.mark.parametrize("name", ["", "not/yet/there"])
def test_what_does_not_fit_is_refused(name, tmp_path):
    with pytest.raises(ResourceError, match=r"The frames will take .* GB, and .* has .* GB free"):
        check_room(tmp_path / name, 2 * free_bytes(tmp_path), "The frames")
    assert not (tmp_path / "not").exists()
