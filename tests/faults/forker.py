"""A process that has the stages' modules loaded and forks a child for every command it is given.

A stage then starts in a tenth of the time, so that a fault can be tried at each of its operations. Orders
come as JSON lines: `arguments` of the tailwatch command, `folder`, `environment`, `kill_after_s`.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

LOADED = (
    *(
        f"pipelines.{stage}"
        for stage in ("ingest", "extract", "segment", "featurize", "normalize", "reshape")
    ),
    *(
        "pipelines.evaluate",
        "pipelines.compare",
        "pipelines.live",
        "pipelines.running",
        "sklearn.linear_model",
    ),
    *("components.video.reader", "components.datasets.inspection", "components.faces.measure"),
    *("components.segmentation.selfie", "components.core.litert", "av", "cv2"),
)


class Forker:
    """Runs commands one after the other, each in a child and a process group of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self, folder: Path, *arguments: str, kill_after_s: float | None = None, **environment: str
    ) -> tuple[int, str]:
        """How the command ended (negative: by which signal), and what it printed."""
        order = {"folder": str(folder), "arguments": arguments, "environment": environment}
        self._process.stdin.write(json.dumps({**order, "kill_after_s": kill_after_s}) + "\n")
        self._process.stdin.flush()
        code = json.loads(self._process.stdout.readline())
        return code, (folder / "printed.txt").read_text(errors="replace")

    def close(self) -> None:
        self._process.communicate()


def serve() -> None:
    for name in LOADED:
        import_module(name)
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            obey(order)
        if order["kill_after_s"] is not None:
            time.sleep(order["kill_after_s"])
            kill_group(child)
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


def kill_group(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:  # it has not yet come to have a group of its own
        os.kill(child, signal.SIGKILL)


def obey(order: dict[str, Any]) -> NoReturn:
    os.setpgid(0, 0)
    os.chdir(order["folder"])
    os.environ.update(order["environment"])
    printed = os.open("printed.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(printed, stream)
    from pipelines.cli import main

    sys.argv = ["tailwatch", *order["arguments"]]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
