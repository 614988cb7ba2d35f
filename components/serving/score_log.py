"""What was scored, for `tailwatch drift`: a line of JSON a clip, in .tailwatch/scores or below s3://.

No picture, no name, no place: the digest of the video, and numbers.

    {"schema": 1, "time": "2026-11-21T18:00:00+00:00", "video": sha256, "bundle": digest, "model": "fusion",
     "label": "stalking", "score": 0.81, "coverage": 0.93, "numbers": {"a_nose_x": 0.41, "b_yaw": null, ...}}

`score` is the calibrated probability of the second of two classes, of more that of `label`, or the score of a
scorer of anomalies; `numbers` are means over the frames where they were measured, and empty of a model that
looks at none.
"""

import json
import logging
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from components.core import system
from components.core.errors import StorageError, TailwatchError, UsageError
from components.core.files import atomic_path
from components.core.s3 import is_address, s3_folder
from components.core.scratch import scratch_folder
from components.features.columns import COLUMNS

log = logging.getLogger("tailwatch")

SCORES_VARIABLE = "TAILWATCH_SCORES"
SCHEMA = 1
SUFFIX = ".jsonl"
WAIT_S = 5.0  # for a bucket; a verdict waits no longer


def scores_place(root: Path) -> str | None:
    """Where scored clips are written down: as TAILWATCH_SCORES says, else in a project's .tailwatch.

    Args:
        root: the project's folder, or where the Python API was called.

    Returns:
        A folder or s3://bucket/prefix; None if TAILWATCH_SCORES is `none`, or `root` is no project.

    Raises:
        UsageError: TAILWATCH_SCORES has another scheme.
    """
    given = os.environ.get(SCORES_VARIABLE, "")
    if "://" in given and not is_address(given):
        raise UsageError(
            f"{SCORES_VARIABLE} is {given}",
            wanted="a folder, s3://bucket/prefix or none",
            remedy="correct the environment variable",
        )
    if given:
        return None if given == "none" else given
    state = root / ".tailwatch"
    return str(state / "scores") if state.is_dir() else None


def means(numbers: np.ndarray | None, measured: np.ndarray | None) -> dict[str, float | None]:
    """Mean of every number over the frames where it was measured; None where it never was.

    Args:
        numbers, measured: (T, 29), or None for a model that looks at none.
    """
    if numbers is None or measured is None:
        return {}
    n = measured.sum(axis=0)
    sums = np.where(measured, np.asarray(numbers, np.float64), 0.0).sum(axis=0)
    return {
        name: round(float(total / count), 6) if count else None
        for name, total, count in zip(COLUMNS, sums, n, strict=True)
    }


def append(place: str, row: Mapping[str, Any]) -> None:
    """Write one scored clip down; a place that does not answer is told, and keeps no verdict waiting."""
    now = system.utc_now()
    line = json.dumps({"schema": SCHEMA, "time": now.isoformat(timespec="seconds"), **row}) + "\n"
    if is_address(place):
        name = f"{now:%Y-%m-%d}/{now:%H%M%S}-{secrets.token_hex(8)}{SUFFIX}"
        sending = Thread(target=_try, args=(_send, place, name, line), name="scores", daemon=True)
        sending.start()
        sending.join(WAIT_S)
        if sending.is_alive():
            log.warning("%s takes long: a scored clip may not be written down for `tailwatch drift`", place)
    else:
        _try(_write, Path(place) / f"{now:%Y-%m-%d}{SUFFIX}", line)


def read(place: str, days: int) -> Iterator[dict[str, Any]]:
    """The clips scored within so many days, in no order; what is no line of this schema is left out.

    Raises:
        StorageError: the bucket does not answer.
    """
    since = (system.utc_now() - timedelta(days=days)).isoformat(timespec="seconds")
    strange = 0
    for line in _lines(place, since[:10]):
        row = _parsed(line)
        if row is None:
            strange += 1
        elif row["time"] >= since:
            yield row
    if strange:
        log.warning("%s: %d lines that are no scored clips are left out", place, strange)


def files(folder: Path) -> list[Path]:
    """The files of a folder in which scored clips are written down, one a day."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def count_lines(path: Path, is_meant: Callable[[bytes], bool]) -> int:
    """How many lines of such a file are meant, damaged ones too."""
    with path.open("rb") as file:
        return sum(map(is_meant, file))


def drop_lines(path: Path, is_meant: Callable[[bytes], bool]) -> None:
    """Write such a file anew without the lines that are meant; all others stay byte by byte."""
    with atomic_path(path) as temporary, path.open("rb") as file:
        temporary.touch(0o600)
        temporary.write_bytes(b"".join(line for line in file if not is_meant(line)))


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and _is_scored_clip(row) else None


def _is_scored_clip(row: Mapping[str, Any]) -> bool:
    texts, numbers = (row.get("time"), row.get("video")), row.get("numbers")
    if row.get("schema") != SCHEMA or not isinstance(numbers, dict):
        return False
    values = (row.get("coverage"), row.get("score"), *numbers.values())
    return all(isinstance(text, str) for text in texts) and all(
        value is None or isinstance(value, int | float) for value in values
    )


def _lines(place: str, first_day: str) -> Iterator[str]:
    if is_address(place):
        yield from _lines_of_bucket(place, first_day)
        return
    for path in files(Path(place)):
        if path.name[:10] >= first_day:
            with path.open(encoding="utf-8", errors="replace") as file:
                yield from file


def _lines_of_bucket(place: str, first_day: str) -> Iterator[str]:
    folder = s3_folder(place)
    with scratch_folder() as scratch:
        for found in folder.list():
            if found.name.endswith(SUFFIX) and found.name[:10] >= first_day:
                path = scratch / "part"
                folder.download(found.name, path)
                yield from path.read_text(encoding="utf-8", errors="replace").splitlines()


def _try(write: Callable[..., None], *arguments: Any) -> None:
    try:
        write(*arguments)
    except (OSError, TailwatchError) as error:
        log.warning("A scored clip was not written down for `tailwatch drift`: %s", error)


def _write(path: Path, line: str) -> None:
    """One write to a file opened for appending: lines of several processes do not mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def _send(place: str, name: str, line: str) -> None:
    with scratch_folder() as scratch:
        path = scratch / "line"
        path.write_text(line, encoding="utf-8")
        if not s3_folder(place).upload(path, name):
            raise StorageError(f"{place}/{name} is there", wanted="a new name", remedy="score it again")
