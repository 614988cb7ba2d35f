"""A command's time and the memory of it and all its children at their peak."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

LOOK_EVERY_S = 0.05


def seconds_of(command: list[str], folder: Path, environment: Mapping[str, str]) -> float:
    """How long a command takes to its end, which must be a good one."""
    started_s = time.perf_counter()
    _ended_well(_started(command, folder, environment), command)
    return time.perf_counter() - started_s


def peak_mib_of(command: list[str], folder: Path, environment: Mapping[str, str]) -> float:
    """The memory of a command and its children at its peak; a page that several share counts once.

    Looking costs time, so a command is not timed while it is watched.
    """
    process = _started(command, folder, environment)
    peaks = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peaks), daemon=True)
    watcher.start()
    _ended_well(process, command)
    watcher.join()
    return peaks[0]


def _started(command: list[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen:
    with open(os.devnull, "wb") as nowhere:
        return subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdout=nowhere, stderr=subprocess.PIPE
        )


def _ended_well(process: subprocess.Popen, command: list[str]) -> None:
    _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {said[-2000:]!r}")


def _watch(process: subprocess.Popen, peaks: list[float]) -> None:
    while process.poll() is None:
        peaks[0] = max(peaks[0], tree_mib(process.pid))
        time.sleep(LOOK_EVERY_S)


def tree_mib(pid: int) -> float:
    """Proportional set size of a process and its descendants."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_pss_kib(member.pid) for member in family) / 1024


def _pss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
