"""Work on many items over processes that may die without harm to the others."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from components.core.errors import UsageError
from components.core.workers import Lost, over_workers

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
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    label: str,
    workers: int | None = None,
    lost: Lost[Item, Result] | None = None,
) -> Iterator[Result]:
    """Yield `function(item)` in the order of `items`, over processes with one decoding thread each.

    Args:
        function: a module-level function, or a partial of one.
        label: what is done, for the progress bar.
        workers: processes; by default one per core.
        lost: what stands for an item whose process crashed or overran its bounds, given the item and the
            cause as a predicate: "took more than 120 s"; without it, that ends the work.

    Raises:
        ResourceError: a worker process was killed from outside, or crashed without `lost`.
    """
    count = min(workers or core_count(), len(items))
    _single_thread()  # a child that forked from OpenCV's pool of threads would wait for it for ever
    results = over_workers(function, items, count, _context(), _single_thread, lost)
    yield from _with_progress(results, label, len(items))


def _context() -> str:
    """Neither TensorFlow's threads nor a server's survive a fork: then a clean process does the forking."""
    alone = threading.current_thread() is threading.main_thread() and "tensorflow" not in sys.modules
    return "fork" if alone else "forkserver"


def _single_thread() -> None:
    import cv2

    cv2.setNumThreads(1)


def _with_progress(results: Iterator[Result], label: str, total: int) -> Iterator[Result]:
    if not sys.stderr.isatty() or total < 2:
        yield from results
        return
    from tqdm import tqdm

    yield from tqdm(results, desc=label, total=total, unit="clip", leave=False)
