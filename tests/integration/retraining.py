"""A retraining as its tasks see it: commands on machines that share nothing but places."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.core.system import ask_to_die_with, is_alive
from tests.flow import Checkout

PATIENCE_S = 300.0
TO_RESHAPE = ("ingest", "extract", "segment", "featurize", "normalize", "reshape@numbers", "reshape@people48")
AFTER = ("train@logistic", "train@majority", "evaluate@logistic", "evaluate@majority", "compare")


def commit(project: Checkout) -> None:
    """Make what lies in the project its newest commit."""
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    project.run("git", "add", "--all")
    project.run("git", *who, "commit", "--quiet", "--allow-empty", "--message", "state")


@dataclass
class Machine:
    """Where tasks of a run are started; its log is in a file beside its workspaces.

    Attributes:
        places: what the environment names.
    """

    project: Checkout
    folder: Path
    places: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log.txt"
        self.log.touch()

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a tailwatch command in a process group of its own."""
        own = {"TAILWATCH_WORKSPACES": str(self.folder / "workspaces"), "TAILWATCH_LEASE_S": "5"}
        with self.log.open("a") as log:
            return subprocess.Popen(
                ("tailwatch", *arguments),
                cwd=self.project.folder,
                env={**self.project.environment(), **own, **self.places, **environment},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                preexec_fn=ask_to_die_with(os.getpid()),
            )

    def run(self, *arguments: str, code: int = 0, **environment: str) -> dict[str, Any]:
        """What a command answers; it must end with this code."""
        process = self.start(*arguments, **environment)
        printed, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == code, self.said()
        return answer(printed) if code == 0 else {}

    def stages(self, run: str, *names: str) -> dict[str, str]:
        """Run stages one after the other; the result of each."""
        return {name: self.run("run-stage", name, "--run", run)["result"] for name in names}

    def said(self) -> str:
        """All that was logged."""
        return self.log.read_text(errors="replace")


def answer(printed: str) -> dict[str, Any]:
    """The last line of what a command prints, which is a small JSON object."""
    line = printed.splitlines()[-1]
    assert len(line) < 1000
    found: dict[str, Any] = json.loads(line)
    return found


def until(happened: Callable[[], Any], what: str) -> Any:
    """Wait for something; what it gave."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := happened()):
        assert time.monotonic() < deadline_s, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


def descendants(process: int) -> list[int]:
    """Processes that a process started, and theirs."""
    try:
        started = [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
    return [pid for child in started for pid in (child, *descendants(child))]


def kill(process: "subprocess.Popen[str]", others: list[int]) -> None:
    """Kill a process with -9; returns when the others are gone, too.

    Fails if they are not gone after PATIENCE_S.
    """
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not any(is_alive(other) for other in others), "the end of the others")
    process.wait()
