"""Work over processes: order, errors, and what becomes of the rest when a process ends."""

import contextlib
import faulthandler
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from components.core.errors import BadDataError, ResourceError
from components.core.parallel import map_items


def _square(x):
    return x * x


def _fail_at_three(x):
    if x == 3:
        raise BadDataError("three", wanted="another number", remedy="leave it out")
    return x


def _bug(x):
    return x // 0


def _slow_at_the_start(x):
    time.sleep(0.2 if x == 0 else 0)
    return x


def _end_at_three(x, number=signal.SIGSEGV):
    if x == 3:
        faulthandler.disable()  # pytest's, which would tell of it
        os.kill(os.getpid(), number)
        time.sleep(60)
    return x


def _killed_at_three(x):
    return _end_at_three(x, signal.SIGKILL)


def _exit_at_three(x):
    if x == 3:
        os._exit(9)
    return x


def _not_for_a_pipe(x):
    return (threading.Lock(), x)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize(
    ("work", "count"),
    [
        pytest.param(_square, 20, id="few"),
        pytest.param(_square, 500, id="many"),
        pytest.param(_slow_at_the_start, 300, id="first slow"),
    ],
)
def test_results_keep_the_order_of_the_items(work, count, workers):
    made = list(map_items(work, range(count), label="done", workers=workers))
    assert made == [work(x) for x in range(count)]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_arrives_whole(workers):
    with pytest.raises(BadDataError, match=r"three.*leave it out"):
        list(map_items(_fail_at_three, range(6), label="done", workers=workers))


def test_a_bug_says_where_it_was():
    with pytest.raises(ZeroDivisionError) as caught:
        list(map_items(_bug, range(6), label="done", workers=2))
    assert "return x // 0" in caught.value.__notes__[0]


def test_what_cannot_come_back_is_an_error():
    with pytest.raises(TypeError, match="pickle"):
        list(map_items(_not_for_a_pipe, range(3), label="done", workers=2))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("work", "cause"),
    [
        pytest.param(_end_at_three, "crashed its worker process (signal 11, SIGSEGV)", id="crash"),
        pytest.param(_exit_at_three, "crashed its worker process (exit status 9)", id="exit"),
    ],
)
def test_a_dead_worker_costs_the_item_that_it_was_on(work, cause, workers):
    made = map_items(work, range(9), label="done", workers=workers, lost=lambda item, why: (item, why))
    assert list(made) == [0, 1, 2, (3, cause), 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("work", "lost", "cause"),
    [
        pytest.param(_end_at_three, None, "SIGSEGV", id="a crash that nobody stands in for"),
        pytest.param(_killed_at_three, lambda item, why: why, "SIGKILL", id="killed from outside"),
    ],
)
def test_a_dead_worker_that_no_item_answers_for_ends_the_work(work, lost, cause):
    with pytest.raises(ResourceError, match=f"{cause}.*Out of memory"):
        list(map_items(work, range(6), label="done", workers=2, lost=lost))


def test_a_thread_of_a_server_has_clean_workers():
    made = []
    thread = threading.Thread(target=lambda: made.extend(map_items(_square, range(5), label="done")))
    thread.start()
    thread.join()
    assert made == [0, 1, 4, 9, 16]


def test_nothing_to_do_is_fine():
    assert list(map_items(_square, [], label="squared")) == []


def test_a_script_is_not_run_again_in_clean_workers():
    script = (
        "import operator, sys; sys.modules.setdefault('tensorflow', sys)\n"
        "from components.core.parallel import map_items\n"
        "print(list(map_items(operator.neg, [1, 2], label='done')))\n"
    )
    result = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, check=True)
    assert result.stdout == "[-1, -2]\n"


PARENT = """
import os, signal, sys
from components.core.parallel import map_items

def hang(item):
    os.write(1, b"at work\\n")  # in one piece: two workers write to one pipe
    sum(iter(int, 1))  # native code that never looks at signals

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
list(map_items(hang, range(4), label="done", workers=2))
"""


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGTERM, 143, id="asked to end"),
        pytest.param(signal.SIGINT, -signal.SIGINT, id="interrupted"),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, id="killed"),
    ],
)
def test_no_worker_outlives_its_parent(number, code):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert [parent.stdout.readline() for _ in range(2)] == ["at work\n"] * 2
    for _ in range(12):  # a KeyboardInterrupt that falls into a destructor is lost: one presses again
        parent.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            assert parent.wait(5) == code
            break
    assert parent.returncode == code
    assert parent.stdout.read() == ""  # at its end only when every process that writes there has ended
