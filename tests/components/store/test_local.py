"""The cap of a folder: what is given up, what stays, and what that costs."""

import logging
import os
import time

import pytest

from components.store import local
from components.store.local import TOUCH_SPACING_S, LocalFolder

SIZE = 1000
DAY_S = 86_400


def name_of(number):
    return f"frames/{number:02x}/{number:02x}{'0' * 62}.npz"


def put(folder, number, age_s=0.0):
    with folder.create(name_of(number)) as path:
        path.write_bytes(bytes(SIZE))
    used_s = time.time() - age_s
    os.utime(folder.root / name_of(number), (used_s, used_s))


def numbers(folder):
    return sorted(int(file.name.split("/")[1], 16) for file in folder.files())


@pytest.mark.parametrize(
    ("ages_s", "cap", "left"),
    [
        pytest.param([3 * DAY_S, 2 * DAY_S, DAY_S], 10 * SIZE, [0, 1, 2], id="under the cap"),
        pytest.param([3 * DAY_S, 2 * DAY_S, DAY_S], 2.5 * SIZE, [1, 2], id="the oldest goes"),
        pytest.param([DAY_S, 3 * DAY_S, 2 * DAY_S], 1.5 * SIZE, [0], id="by use, not by name"),
        pytest.param([DAY_S, 60, 0], 0.5 * SIZE, [1, 2], id="what this run used stays"),
        pytest.param([60, 0], None, [0, 1], id="no cap"),
    ],
)
def test_the_least_recently_used_goes_first(tmp_path, ages_s, cap, left):
    folder = LocalFolder(tmp_path, None)
    for number, age_s in enumerate(ages_s):
        put(folder, number, age_s)
    LocalFolder(tmp_path, cap).evict()
    assert numbers(folder) == left


def test_a_cap_that_is_too_small_is_told_once_and_nothing_is_made_twice(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(local, "_told", set())
    folder = LocalFolder(tmp_path, 1.5 * SIZE)
    with caplog.at_level(logging.WARNING, "tailwatch"):
        for number in range(8):
            put(folder, number)
    assert numbers(folder) == list(range(8))
    assert caplog.text.count("raise store.max_gb") == 1


def test_the_cap_holds_over_many_puts_with_few_looks(tmp_path, monkeypatch):
    looks = []
    files = LocalFolder.files
    monkeypatch.setattr(LocalFolder, "files", lambda self: looks.append(0) or files(self))
    folder = LocalFolder(tmp_path, 200 * SIZE)
    folder._opened_s += 10 * TOUCH_SPACING_S  # as if everything came from runs long before
    step = 2**32 // 400
    for number in range(400):
        key = f"{(number * 7919 % 400) * step:08x}{number:056x}"
        with folder.create(f"frames/{key[:2]}/{key}.npz") as path:
            path.write_bytes(bytes(SIZE))
    assert 150 <= len(list(files(folder))) <= 230
    assert len(looks) <= 0.15 * 400


def test_a_use_is_noted_but_not_each_time(tmp_path):
    folder = LocalFolder(tmp_path)
    for number, age_s in enumerate([TOUCH_SPACING_S / 2, TOUCH_SPACING_S * 2]):
        put(folder, number, age_s)
    before = [folder.root.joinpath(name_of(number)).stat().st_mtime_ns for number in (0, 1)]
    found = [folder.path(name_of(number)) for number in (0, 1)]
    after = [path.stat().st_mtime_ns for path in found]
    assert after[0] == before[0]
    assert after[1] > before[1]


def test_files_being_written_are_no_objects(tmp_path):
    folder = LocalFolder(tmp_path)
    with folder.create(name_of(1)) as path:
        path.write_bytes(b"x")
        assert numbers(folder) == []
        assert folder.path(name_of(1)) is None
    assert numbers(folder) == [1]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("my_thesis.txt", id="at the root"),
        pytest.param("films/calm/holiday.mov", id="a clip"),
        pytest.param(f"frames/ab/{'ab' * 32}.txt", id="another ending"),
        pytest.param(f"frames/ab/{'ab' * 31}.npz", id="a short key"),
        pytest.param(f"frames/cd/{'ab' * 32}.npz", id="another folder than the key's"),
        pytest.param(f"ab/{'ab' * 32}.npz", id="of no kind"),
        pytest.param(f"old/frames/ab/{'ab' * 32}.npz", id="deeper"),
    ],
)
def test_other_files_are_neither_listed_nor_given_up(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(10 * SIZE))
    os.utime(path, (0, 0))
    put(LocalFolder(tmp_path), 1, age_s=DAY_S)
    folder = LocalFolder(tmp_path, 0.5 * SIZE)
    assert numbers(folder) == [1]
    folder.evict()
    assert numbers(folder) == []
    assert path.is_file()
