"""Bounds on what one piece of work may take in a worker process, where going beyond them harms nobody else.

Time is kept by the kernel, because native code may never return: the process ends, and its parent, which was
told before, knows why. Memory is refused beyond the bound, which is an error like others.
"""

import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from components.core.errors import BadDataError

Allow = Callable[[float, int], None]
_OPENCV_NO_MEMORY = -4
_STATM = Path("/proc/self/statm")
_announce: Callable[[str], None] | None = None  # what a sudden end would mean; None: no worker process


def enter_worker(announce: Callable[[str], None]) -> None:
    """From now on this process is one that may be ended.

    Args:
        announce: tells the parent process what it means if this one ends.
    """
    global _announce  # noqa: PLW0603
    _announce = announce


@contextmanager
def bounded(name: str, seconds: float, memory_bytes: int) -> Iterator[Allow]:
    """Bound the block's wall time and the memory that it takes beyond what the process has; else do nothing.

    Args:
        name: what is worked on, for messages.

    Yields:
        allow(seconds, memory_bytes): bounds for the rest of the block, counted from now.

    Raises:
        BadDataError: more memory is needed.
    """
    if _announce is None:
        yield _allow_all
        return
    held_before = resource.getrlimit(resource.RLIMIT_AS)
    held_bytes = _address_space()
    granted = memory_bytes

    def allow(seconds: float, memory_bytes: int) -> None:
        nonlocal granted
        granted = memory_bytes
        _arm(seconds, held_bytes + memory_bytes)

    try:
        allow(seconds, memory_bytes)
        yield allow
    except Exception as error:
        resource.setrlimit(resource.RLIMIT_AS, held_before)
        if not _is_out_of_memory(error):
            raise
        raise BadDataError(
            f"{name}: needs more than {granted / 2**20:.0f} MiB of memory",
            wanted="what can be read in bounded memory",
            remedy="leave it out, or convert the video anew with smaller frames",
        ) from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, held_before)


def _is_out_of_memory(error: Exception) -> bool:
    cv2 = sys.modules.get("cv2")  # it raises an error of its own; importing it here would cost every command
    if cv2 is not None and isinstance(error, cv2.error):
        return error.code == _OPENCV_NO_MEMORY
    return isinstance(error, MemoryError)


def _allow_all(seconds: float, memory_bytes: int) -> None:
    """No worker process: nothing is bounded."""


def _arm(seconds: float, address_space: int) -> None:
    if _announce is not None:
        _announce(f"took more than {seconds:.0f} s")
    signal.setitimer(signal.ITIMER_REAL, seconds)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = address_space if hard == resource.RLIM_INFINITY else min(address_space, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space() -> int:
    """Bytes of address space that this process holds."""
    return int(_STATM.read_text().split()[0]) * resource.getpagesize()
