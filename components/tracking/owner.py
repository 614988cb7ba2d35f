"""Who is writing a run: a process that can be looked for later."""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

OWNER = "tailwatch.owner"
HEARTBEAT = "tailwatch.heartbeat_ms"
SILENT_AFTER_S = 6 * 3600.0


def owner_id() -> str:
    """The name of this process, as host, boot and start time make it unique."""
    return f"{socket.gethostname()}/{_boot_id()}/{os.getpid()}/{_start_ticks(os.getpid())}"


def now_ms() -> int:
    """Milliseconds since 1970, as MLflow counts."""
    return time.time_ns() // 1_000_000


def is_alive(tags: Mapping[str, str], silent_after_s: float = SILENT_AFTER_S) -> bool:
    """Whether the process that wrote these tags can still be at work.

    On this machine the process itself is looked for; one elsewhere counts as gone after a long silence.
    """
    host, _, rest = tags.get(OWNER, "").partition("/")
    if host == socket.gethostname() and len(rest.split("/")) == 3:
        boot, pid, ticks = rest.split("/")
        return boot == _boot_id() and ticks == _start_ticks(int(pid))
    heartbeat_ms = int(tags.get(HEARTBEAT, "0"))
    return now_ms() - heartbeat_ms < silent_after_s * 1000


def _boot_id() -> str:
    return _first_line("/proc/sys/kernel/random/boot_id")


def _start_ticks(pid: int) -> str:
    """When the process began, in ticks since boot: process numbers are used again, these pairs are not."""
    fields = _first_line(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] != "Z" else ""


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").partition("\n")[0]
    except OSError:
        return ""
