"""A lease on a stage of a run: of all the machines that were told to run it, one does at a time.

Generations are objects lease/STAGE/NUMBER.json that are put once: who puts the next number holds the lease.
Its holder renews a beat beside it. Another takes the next number when the holder gave the lease back, is a
dead process of this machine, or let its beat stand still for the longer of both their patiences, in time that
the other measures by itself: machines' clocks need not agree.
"""

import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

from components.core import system
from components.core.errors import StorageError, TailwatchError
from components.core.exchange import Exchange, claim, read_content, read_json, write_content
from components.core.patience import patience_s
from components.tracking.owner import OWNER, is_alive, owner_id

log = logging.getLogger("tailwatch")

PATIENCE_VARIABLE = "TAILWATCH_LEASE_S"
PATIENCE_S = 60.0
_BEATS_PER_PATIENCE = 6.0
_LOOKS_PER_PATIENCE = 20.0
_LONGEST_PAUSE_S = 3.0
_BACK = "given back"


@dataclass(frozen=True)
class Holder:
    """Who holds a generation.

    Attributes:
        owner: the process, as components.tracking.owner names it.
        processes: the namespace in which its number means something.
        token: of this one holding.
        patience_s: after which it may be given up: it beats several times in that; 0: it does not say.
    """

    owner: str
    processes: str
    token: str
    patience_s: float = 0.0

    def __str__(self) -> str:
        host, _, rest = self.owner.partition("/")
        return f"process {rest.split('/')[1]} of {host}" if rest.count("/") == 2 else "another machine"

    def is_gone(self) -> bool:
        """Whether it was a process of this machine, and is not any more."""
        here = self.owner.partition("/")[0] == socket.gethostname() and self.processes == _processes()
        return here and not is_alive({OWNER: self.owner}, 0.0)


class Lease:
    """A lease that this process holds; it beats in a thread of its own.

    Args:
        folder: the objects' place: RUN/lease/STAGE/.
        number: the generation.
    """

    def __init__(self, runs: Exchange, folder: str, number: int, holder: Holder) -> None:
        self._runs, self._folder, self._number, self._holder = runs, folder, number, holder
        self._pause_s = holder.patience_s / _BEATS_PER_PATIENCE
        self._on_loss: Callable[[], None] = lambda: None
        self._successor: Holder | None = None
        self._ended = False
        self._wakened = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._thread.start()

    def call_on_loss(self, action: Callable[[], None]) -> None:
        """What is done, in the lease's own thread, when another has taken it; at once if one has already."""
        self._on_loss = action
        if self._successor is not None:
            action()

    def check(self) -> None:
        """Raise StorageError if another has taken the lease."""
        self._successor = self._read_successor()
        self.check_not_lost()

    def check_not_lost(self) -> None:
        """Raise StorageError if it is known that another has taken the lease; nobody is asked."""
        if self._successor is not None:
            raise StorageError(
                f"{self._successor} took over, because this process had given no sign for long",
                wanted="one execution of a stage at a time",
                remedy="run it again: it waits for the other, and takes what that one publishes",
            )

    def give_back(self) -> None:
        """Let another take it at once."""
        self._ended = True
        self._wakened.set()
        self._thread.join()
        if self._successor is None:
            with suppress(TailwatchError, OSError):  # others then wait until they lose patience
                self._write(_BACK)

    def _read_successor(self) -> Holder | None:
        return _holder(self._runs, _generation(self._folder, self._number + 1))

    def _beat(self) -> None:
        count = 0
        while not self._ended:
            count += 1
            try:
                self._write(str(count))
                self._successor = self._read_successor()
            except (TailwatchError, OSError) as error:
                log.warning("the lease cannot be renewed now: %s", error)
            else:
                if self._successor is not None:
                    log.warning("the lease is lost to %s", self._successor)
                    self._on_loss()
                    return
            self._wakened.wait(self._pause_s)

    def _write(self, state: str) -> None:
        content = f"{self._holder.token} {state}\n".encode()
        write_content(self._runs, _beat_of(self._folder, self._number), content)


@contextmanager
def hold(runs: Exchange, run: str, stage: str, is_done: Callable[[], bool]) -> Iterator[Lease | None]:
    """Hold the lease on a stage of a run, once nobody else does; None when the stage is done meanwhile.

    Raises:
        StorageError: what holds the objects does not answer.
        BadDataError: a lease that cannot be read.
        UsageError: TAILWATCH_LEASE_S is no number above 0.
    """
    lease = _acquire(runs, f"{run}/lease/{stage}/", stage, is_done, patience_s(PATIENCE_VARIABLE, PATIENCE_S))
    try:
        yield lease
    finally:
        if lease is not None:
            lease.give_back()


def _acquire(
    runs: Exchange, folder: str, stage: str, is_done: Callable[[], bool], patience: float
) -> Lease | None:
    own = Holder(owner_id(), _processes(), secrets.token_hex(8), patience)
    watch = _Watch(patience)
    told = None
    while not is_done():
        number = _newest(runs, folder)
        other = _holder(runs, _generation(folder, number)) if number else None
        beat = read_content(runs, _beat_of(folder, number)) if number else None
        still_s = watch.still_s(number, beat)
        if other is None or (end := _end(other, beat, still_s, patience)):
            if other is not None and end != _BACK:
                log.warning("%s was held by %s, which %s: taking over", stage, other, end)
            content = f"{json.dumps(asdict(own), sort_keys=True)}\n".encode()
            if claim(runs, _generation(folder, number + 1), content):
                return Lease(runs, folder, number + 1, own)
            continue
        if told != other:
            log.warning("%s is being run by %s: waiting for it", stage, other)
            told = other
        time.sleep(watch.pause_s)
    return None


class _Watch:
    """How long a beat has been seen to stand still; time in which nothing could be seen does not count."""

    def __init__(self, patience: float) -> None:
        self.pause_s = min(patience / _LOOKS_PER_PATIENCE, _LONGEST_PAUSE_S)
        self._seen: tuple[int, bytes | None] | None = None
        self._still_s = self._looked_s = 0.0

    def still_s(self, number: int, beat: bytes | None) -> float:
        now_s = system.monotonic_s()
        if self._seen == (number, beat):
            self._still_s += min(now_s - self._looked_s, 3 * self.pause_s)
        else:
            self._seen, self._still_s = (number, beat), 0.0
        self._looked_s = now_s
        return self._still_s


def _end(holder: Holder, beat: bytes | None, still_s: float, patience: float) -> str:
    """How a holding ended; empty while it may last."""
    if beat is not None and beat.decode(errors="replace").strip().endswith(_BACK):
        return _BACK
    if holder.is_gone():
        return "is gone"
    patience = max(patience, holder.patience_s)
    return f"gave no sign for {patience:g} s" if still_s >= patience else ""


def _newest(runs: Exchange, folder: str) -> int:
    numbers = [
        name.removeprefix(folder).removesuffix(".json")
        for name in runs.names(folder)
        if name.endswith(".json")
    ]
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def _holder(runs: Exchange, name: str) -> Holder | None:
    return read_json(runs, name, lambda said: Holder(**said), "run-stage")


def _generation(folder: str, number: int) -> str:
    return f"{folder}{number:06d}.json"


def _beat_of(folder: str, number: int) -> str:
    return f"{folder}{number:06d}.beat"


def _processes() -> str:
    """The namespace that process numbers belong to: containers of one host have their own (Linux)."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
