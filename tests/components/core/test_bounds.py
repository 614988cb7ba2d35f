"""Bounds of time and memory in worker processes."""

import mmap

import cv2
import numpy as np
import pytest

from components.core.bounds import bounded
from components.core.errors import BadDataError
from components.core.parallel import map_items

MIB = 1 << 20


def _forever(_):
    with bounded("a.mp4", 0.2, 64 * MIB):
        sum(iter(int, 1))


def _forever_in_the_second_part(_):
    with bounded("a.mp4", 60, 64 * MIB) as allow:
        allow(0.2, 64 * MIB)
        sum(iter(int, 1))


def _large(mib):
    with bounded("a.mp4", 60, 64 * MIB):
        return len(np.ones(mib * MIB, np.uint8)) // MIB


def _large_in_opencv(mib):
    with bounded("a.mp4", 60, 64 * MIB):
        return cv2.resize(np.ones((8, 8), np.uint8), (MIB, mib)).nbytes // MIB


def _wrong_in_opencv(_):
    with bounded("a.mp4", 60, 64 * MIB):
        cv2.resize(np.ones((8, 8), np.uint8), (0, 0))


def _large_when_allowed(mib):
    with bounded("a.mp4", 60, MIB) as allow:
        allow(60, 256 * MIB)
        return len(np.ones(mib * MIB, np.uint8)) // MIB


def _afterwards(mib):
    with bounded("a.mp4", 0.2, MIB):
        pass
    return sum(range(30_000_000)) > 0 and len(mmap.mmap(-1, mib * MIB)) // MIB


def _run(work, item):
    return next(map_items(work, [item], label="done", workers=1, lost=lambda _, why: why))


@pytest.mark.parametrize("work", [_forever, _forever_in_the_second_part])
def test_time(work):
    assert _run(work, 0) == "took more than 0 s"


@pytest.mark.parametrize(
    ("work", "mib"),
    [
        pytest.param(_large, 16, id="within"),
        pytest.param(_large_in_opencv, 16, id="within, in OpenCV"),
        pytest.param(_large_when_allowed, 128, id="within what was allowed later"),
        pytest.param(_afterwards, 512, id="no bound behind the block"),
    ],
)
def test_what_is_within_its_bounds(work, mib):
    assert _run(work, mib) == mib


@pytest.mark.parametrize("work", [_large, _large_in_opencv])
def test_memory(work):
    with pytest.raises(BadDataError, match=r"a\.mp4: needs more than 64 MiB of memory"):
        _run(work, 512)


def test_another_error_of_opencv_stays_what_it_is():
    with pytest.raises(cv2.error, match="resize"):
        _run(_wrong_in_opencv, 0)


def test_a_process_that_is_no_worker_is_not_bounded():
    assert _large(128) == 128
