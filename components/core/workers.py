"""Worker processes, each with a pipe of its own, so that one's death is known to be of the item it was on."""

import multiprocessing
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pickle import PicklingError
from types import ModuleType
from typing import Any, Generic, TypeVar

from components.core import system
from components.core.bounds import enter_worker
from components.core.errors import ResourceError, TailwatchError

Item = TypeVar("Item")
Result = TypeVar("Result")
Lost = Callable[[Item, str], Result]

_WINDOW = 64  # items per worker that may be done before the one whose turn it is
_SETTLING_S = 10.0  # for items that are begun when another has failed
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def over_workers(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int,
    context: str,
    prepare: Callable[[], None],
    lost: Lost[Item, Result] | None,
) -> Iterator[Result]:
    """Yield `function(item)` in the order of `items`.

    Args:
        context: how processes start: fork or forkserver.
        prepare: done first in every process.
        lost: what stands for an item that ended its process, given the item and the cause.

    Raises:
        ResourceError: a process was killed from outside, or ended without `lost`.
    """
    pool = _Pool(function, items, context, prepare, lost)
    try:
        for _ in range(workers):
            pool.workers.append(pool.start())
        for place in range(len(items)):
            while place not in pool.done:
                pool.step(place + _WINDOW * workers)
            worked, value = pool.done.pop(place)
            if not worked:
                raise value
            yield value
    except Exception:
        pool.settle()
        raise
    finally:
        for worker in pool.workers:
            worker.kill()


class _Worker:
    """A process, the place of the item that it works on, and what it announced its sudden end to mean."""

    def __init__(self, process: Any, pipe: Connection) -> None:
        self.process = process
        self.pipe = pipe
        self.place: int | None = None
        self.announced = ""

    def give(self, place: int) -> None:
        self.place = place
        with suppress(OSError):  # it died: its pipe says so when it is read
            self.pipe.send(place)

    def is_busy(self) -> bool:
        return self.place is not None and not self.pipe.closed

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def ending(self) -> str:
        """How its process ended: "signal 11, SIGSEGV"."""
        code = self.process.exitcode or 0
        return f"signal {-code}, {_name(-code)}" if code < 0 else f"exit status {code}"

    @property
    def was_killed(self) -> bool:
        """Whether that came from outside."""
        return -(self.process.exitcode or 0) in _FROM_OUTSIDE

    def cause(self) -> str:
        """What the item that it was on did, as a predicate."""
        if -(self.process.exitcode or 0) == signal.SIGALRM and self.announced:
            return self.announced
        return f"crashed its worker process ({self.ending()})"


def _name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else "unknown"


class _Pool(Generic[Item, Result]):
    """Workers, what they have done, and what waits for them."""

    def __init__(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        context: str,
        prepare: Callable[[], None],
        lost: Lost[Item, Result] | None,
    ) -> None:
        self.items = items
        self.lost = lost
        self.workers: list[_Worker] = []
        self.done: dict[int, tuple[bool, Any]] = {}
        self._next = 0
        self._work = (function, items, prepare)
        self._context: Any = multiprocessing.get_context(context)
        if context == "forkserver":
            self._context.set_forkserver_preload(["cv2", "av", "numpy"])

    def start(self) -> _Worker:
        ours, its = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(its, *self._work), daemon=True)
        with _without_main():
            process.start()
        its.close()
        return _Worker(process, ours)

    def step(self, until: int) -> None:
        """Hand out items before `until`, and take what comes back next."""
        for worker in self.workers:
            if worker.place is None and self._next < min(until, len(self.items)):
                worker.give(self._next)
                self._next += 1
        ready = wait([worker.pipe for worker in self.workers if worker.place is not None])
        for worker in [worker for worker in self.workers if worker.pipe in ready]:
            self._take(worker, worker.place or 0)

    def settle(self) -> None:
        """Let workers end what they are at, if they do so soon: killed ones leave files half written."""
        deadline_s = system.monotonic_s() + _SETTLING_S
        while busy := {worker.pipe: worker for worker in self.workers if worker.is_busy()}:
            ready = wait(list(busy), max(0.0, deadline_s - system.monotonic_s()))
            if not ready:
                return
            for pipe in ready:
                self._end(busy[pipe])  # type: ignore[index]

    def _end(self, worker: _Worker) -> None:
        try:
            said, *_ = worker.pipe.recv()
        except (EOFError, ConnectionError):
            said = "died"
        if said != "announced":
            worker.place = None

    def _take(self, worker: _Worker, place: int) -> None:
        try:
            said, *rest = worker.pipe.recv()
        except (EOFError, ConnectionError):
            self._replace(worker, place)
            return
        if said == "announced":
            worker.announced = rest[0]
        else:
            worker.place, worker.announced = None, ""
            self.done[place] = (said == "result", rest[0])

    def _replace(self, dead: _Worker, place: int) -> None:
        """Account for the item that a dead worker was on, and put a fresh one in its place."""
        dead.process.join()
        dead.pipe.close()
        if dead.was_killed or self.lost is None:
            raise ResourceError(
                f"A worker process ended before its work was done ({dead.ending()})",
                wanted="worker processes that live",
                remedy="look for `Out of memory` in the system's log; set TAILWATCH_WORKERS to fewer workers",
            )
        self.done[place] = (True, self.lost(self.items[place], dead.cause()))
        self.workers[self.workers.index(dead)] = self.start()


@contextmanager
def _without_main() -> Iterator[None]:
    """A clean process would run the user's own script again; it needs nothing of it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _serve(
    pipe: Connection,
    function: Callable[[Any], Any],
    items: Sequence[Any],
    prepare: Callable[[], None],
) -> None:
    system.die_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent, which gets it too, ends this process
    prepare()
    enter_worker(lambda meaning: pipe.send(("announced", meaning)))
    with suppress(EOFError, ConnectionError):  # the parent is gone
        while True:
            answer = _answer(function, items[pipe.recv()])
            try:
                pipe.send(answer)
            except (PicklingError, TypeError, AttributeError) as error:
                pipe.send(("error", error))


def _answer(function: Callable[[Any], Any], item: Any) -> tuple[str, Any]:
    try:
        return "result", function(item)
    except TailwatchError as error:
        return "error", error
    except Exception as error:  # a bug: raised again in the parent, with where it came from
        error.add_note(traceback.format_exc())
        return "error", error
