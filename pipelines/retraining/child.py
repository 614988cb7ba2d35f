"""Processes that work in a private workspace: the signals that reach them, and what their ends mean."""

import json
import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pipelines
from components.core import system
from components.core.errors import (
    FinalError,
    ResourceError,
    StorageError,
    TailwatchError,
    UsageError,
)
from components.core.files import write_json
from pipelines.retraining.lease import Lease
from pipelines.retraining.workspace import Workspace
from pipelines.running import KILLED, killed, recorded_codes
from pipelines.signals import wait_passing_on

log = logging.getLogger("tailwatch")

_DVC_WORK = (sys.executable, "-P", "-m", "pipelines.retraining.dvc_work")  # -P: not the workspace's
_OUR_CODE = str(Path(pipelines.__file__).parents[1])
_KINDS: dict[str, tuple[type[TailwatchError], str, str]] = {
    "usage": (UsageError, "a stage of this commit's dvc.yaml, and what it reads", "correct it"),
    "missing": (UsageError, "a run whose earlier stages are done", "run those first"),
    "storage": (
        StorageError,
        "a DVC remote that answers and holds what the run has published",
        "check TAILWATCH_REMOTE, AWS_ENDPOINT_URL and the keys, then run it again",
    ),
    "damaged": (
        StorageError,
        "a DVC remote whose objects are what their names say",
        "start another run, which makes them again",
    ),
    "room": (ResourceError, "enough room on the disk", "free some, or set TAILWATCH_WORKSPACES elsewhere"),
}


def do_dvc_work(place: Workspace, order: Mapping[str, Any], lease: Lease | None = None) -> dict[str, Any]:
    """Let DVC do an order in a workspace, as `dvc_work` has them.

    Raises:
        UsageError, StorageError, ResourceError: DVC failed.
        SystemExit: the stage failed, with its own exit code, or was asked to end.
    """
    written, answer = place.state("order.json"), place.state("answer.json")
    write_json(written, order)
    answer.unlink(missing_ok=True)
    own = replace(place, environment={**place.environment, "PYTHONPATH": _OUR_CODE})
    code = _call(own, [*_DVC_WORK, str(written), str(answer)], lease)
    said: dict[str, Any] = json.loads(answer.read_bytes()) if answer.is_file() else {}
    if code == 0 and said:
        return said
    kind, text = said.get("error", ""), said.get("text", "")
    if kind in _KINDS:
        error, wanted, remedy = _KINDS[kind]
        raise error(text.rstrip("."), wanted=wanted, remedy=remedy)
    if kind == "stage":
        raise _stage_failed(place, order["name"])
    if code < 0:
        raise killed("DVC's process")
    log.error("DVC failed: %s", text or f"its process ended with {code}")
    raise SystemExit(1)


def call(place: Workspace, *arguments: str) -> str:
    """Run a tailwatch command of the workspace's commit; what it prints. Raises as `hand_on`."""
    printed = place.state("printed.txt")
    with printed.open("wb") as output:
        hand_on(place, arguments, output)
    return printed.read_text(encoding="utf-8")


def hand_on(place: Workspace, arguments: Sequence[str], output: IO[Any]) -> None:
    """Run a tailwatch command of the workspace's commit, which prints to a file or stream.

    Raises:
        ResourceError: it was killed from outside.
        SystemExit: it failed, with its own exit code, or was asked to end.
    """
    code = _call(place, [sys.executable, "-m", "pipelines.cli", *arguments], output=output)
    if code < 0:
        raise killed(arguments[0])
    if code:
        raise SystemExit(code)


def _call(place: Workspace, command: list[str], lease: Lease | None = None, output: Any = None) -> int:
    """A command's exit code.

    Args:
        lease: of what the command, which is DVC's, does; a stage of it is told to end when it is lost.
        output: where the command prints; None: where this process's messages go.
    """
    process = system.start_beside(
        command, place.root, place.environment, output or sys.stderr.fileno(), apart=True
    )
    asked: list[int] = []
    if lease is not None:
        lease.call_on_loss(lambda: asked.append(signal.SIGTERM))
    try:
        code, passed_on = wait_passing_on(process, asked=asked, to_children=output is None)
    finally:
        if lease is not None:
            lease.call_on_loss(lambda: None)
    if lease is not None:
        lease.check_not_lost()
    if passed_on:
        raise SystemExit(128 + passed_on[0])  # 143 or 130, as a shell has it
    return code


def _stage_failed(place: Workspace, stage: str) -> BaseException:
    code = recorded_codes(place.root).get(stage, 0)
    if code == KILLED:
        return killed(stage)
    if not code:
        return FinalError(
            f"{stage} could not be started",
            wanted="a commit whose `tailwatch` command runs in this environment",
            remedy="see the lines above, and mend the image or the commit",
        )
    return SystemExit(code)
