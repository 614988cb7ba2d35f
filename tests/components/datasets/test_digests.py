"""Digests are remembered only as long as the file is the same."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from components.datasets import digests
from components.datasets.digests import DigestCache
from tests.video_factory import write_frames


def aged(path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    path.write_bytes(content)
    monkeypatch.setattr(digests, "SETTLED_NS", -(10**12))
    return path


def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = aged(tmp_path / "a", b"one", monkeypatch)
    cache = DigestCache(tmp_path / "cache.json")
    assert cache.sha256(clip) == hashlib.sha256(b"one").hexdigest()
    cache.save()
    monkeypatch.delattr(digests, "content_sha256")
    assert DigestCache(tmp_path / "cache.json").sha256(clip) == hashlib.sha256(b"one").hexdigest()


def test_a_changed_file_of_equal_size_and_time_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = aged(tmp_path / "a", b"one", monkeypatch)
    times = clip.stat()
    cache = DigestCache(tmp_path / "cache.json")
    cache.sha256(clip)
    cache.save()
    time.sleep(0.02)
    clip.write_bytes(b"two")
    os.utime(clip, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert DigestCache(tmp_path / "cache.json").sha256(clip) == hashlib.sha256(b"two").hexdigest()


def test_a_file_that_was_just_written_is_not_remembered(tmp_path: Path) -> None:
    clip = tmp_path / "a"
    clip.write_bytes(b"one")
    cache = DigestCache(tmp_path / "cache.json")
    cache.sha256(clip)
    cache.save()
    assert not (tmp_path / "cache.json").exists()


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "cache.json").write_text("{")
    clip = tmp_path / "a"
    clip.write_bytes(b"one")
    assert DigestCache(tmp_path / "cache.json").sha256(clip) == hashlib.sha256(b"one").hexdigest()


def test_a_sequence_is_digested_once_until_a_frame_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "SETTLED_NS", -(10**12))
    folder = write_frames(tmp_path / "a", ["1.png", "2.png"])
    cache = DigestCache(tmp_path / "cache.json")
    first = cache.sha256(folder)
    cache.save()
    with monkeypatch.context() as patched:
        patched.setattr(digests, "content_sha256", None)
        assert DigestCache(tmp_path / "cache.json").sha256(folder) == first
    write_frames(folder, ["2.png"], first=9)
    assert DigestCache(tmp_path / "cache.json").sha256(folder) != first
