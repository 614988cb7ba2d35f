"""Airflow's REST interface as tests ask it, and the processes of one of its homes."""

import json
import os
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

ENDED = ("success", "failed", "upstream_failed", "skipped")


def ask(method, address, data=None, token=""):
    """What an address answers; an HTTPError is let through."""
    request = urllib.request.Request(  # noqa: S310  # loopback
        address,
        json.dumps(data).encode() if data is not None else None,
        {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
        method=method,
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def approve(server, run, seconds):
    """Approve a held run as a person would; the state in which its question ends.

    An answer within a loop of the scheduler comes to nothing, because that takes the task for lost:
    the question is put again, and answered again.
    """
    task = f"{run}/taskInstances/approve"
    end = time.monotonic() + seconds
    while (state := server("GET", task)["state"]) not in ENDED:
        if time.monotonic() > end:
            pytest.fail(f"{task} is still {state}")
        if state == "awaiting_input":
            with suppress(urllib.error.HTTPError):  # answered already
                answer = {"chosen_options": ["Approve"], "params_input": {}}
                server("PATCH", f"{task}/-1/hitlDetails", answer)
        time.sleep(2)
    return state


def processes_of(home):
    """Processes that work in a home, or were told of it: none may outlive the test.

    Servers that write their title over their environment are known by the folder in which they work.
    """
    processes = filter(str.isdecimal, os.listdir("/proc"))
    return [int(process) for process in processes if _is_of(home, Path("/proc", process))]


def _is_of(home, process):
    with suppress(OSError):
        if Path(os.readlink(process / "cwd")).is_relative_to(home):
            return True
        told = (process / "environ").read_bytes()
        return f"AIRFLOW_HOME={home}\0".encode() in told or f"{home}/".encode() in told
    return False
