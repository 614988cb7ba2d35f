"""Work on many items, over all cores or in this process."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from components.core.errors import ResourceError, UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")


def core_count() -> int:
    """Cores that this process may use: TAILWATCH_WORKERS, or all that the system grants.

    Raises:
        UsageError: TAILWATCH_WORKERS is no number from 1 up.
    """
    wanted = os.environ.get("TAILWATCH_WORKERS", "")
    if not wanted:
        return len(os.sched_getaffinity(0))
    if not wanted.isdecimal() or int(wanted) < 1:
        raise UsageError(
            f"TAILWATCH_WORKERS is {wanted!r}",
            wanted="a number from 1 up",
            remedy="correct it, or unset it to use all cores",
        )
    return int(wanted)


def map_items(
    function: Callable[[Item], Result], items: Sequence[Item], *, label: str, workers: int | None = None
) -> Iterator[Result]:
    """Yield `function(item)` in the order of `items`, over processes with one decoding thread each.

    Args:
        function: a module-level function, or a partial of one.
        label: what is done, for the progress bar.
        workers: processes; 1 works in this process; by default one per core.

    Raises:
        ResourceError: a worker process was killed.
    """
    count = min(workers or core_count(), max(1, len(items)))
    results = map(function, items) if count == 1 else _over_processes(function, items, count)
    yield from _with_progress(results, label, len(items))


def _over_processes(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Iterator[Result]:
    context = multiprocessing.get_context("fork" if _forks_safely() else "spawn")
    _single_thread()  # a child that forked from OpenCV's pool of threads would wait for it for ever
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_single_thread) as pool:
        try:
            yield from pool.map(function, items)
        except BrokenProcessPool as error:
            raise ResourceError(
                "A worker process ended before its work was done",
                wanted=f"{workers} worker processes that live",
                remedy="look for `Out of memory` in the system's log; set TAILWATCH_WORKERS to fewer workers",
            ) from error
        except GeneratorExit:
            pool.shutdown(cancel_futures=True)
            raise


def _forks_safely() -> bool:
    """TensorFlow's threads do not survive a fork."""
    return "tensorflow" not in sys.modules


def _single_thread() -> None:
    import cv2

    cv2.setNumThreads(1)


def _with_progress(results: Iterator[Result], label: str, total: int) -> Iterator[Result]:
    if not sys.stderr.isatty() or total < 2:
        yield from results
        return
    from tqdm import tqdm

    yield from tqdm(results, desc=label, total=total, unit="clip", leave=False)
