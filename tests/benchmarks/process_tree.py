"""A command's time and the memory of it and all its children at their peak."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

LOOK_EVERY_S = 0.05


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        seconds: by the wall's clock.
        peak_mib: of the whole tree; a page that several processes share counts once.
    """

    seconds: float
    peak_mib: float


def cost(command: list[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command to its end, which must be a good one."""
    started_s = time.perf_counter()
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdout=nowhere, stderr=subprocess.PIPE
        )
    peaks = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peaks), daemon=True)
    watcher.start()
    _, said = process.communicate()
    seconds = time.perf_counter() - started_s
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {said[-2000:]!r}")
    return Cost(seconds, peaks[0])


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
