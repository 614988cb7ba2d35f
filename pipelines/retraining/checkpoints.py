"""Checkpoints of a stage brought to the run's place while it works, so that they outlive its machine."""

import json
import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from components.core import system
from components.core.errors import TailwatchError
from components.core.exchange import Exchange
from components.core.scratch import scratch_folder

log = logging.getLogger("tailwatch")

STATE_FILE = "state.json"  # names the arrays that belong to it, and is written last
_LOOK_EVERY_S = 1.0
_SPACING = 10.0  # at most a tenth of the time goes into sending
_LONGEST_S = 60.0


class Mirror:
    """The checkpoints of a stage, here and there: one folder for each training that is not done.

    Args:
        here: .tailwatch/checkpoints of the workspace.
        prefix: of the objects: RUN/checkpoint/STAGE/.
    """

    def __init__(self, here: Path, runs: Exchange, prefix: str) -> None:
        self._here, self._runs, self._prefix = here, runs, prefix
        self._sent: dict[str, str] = {}
        self._known: set[str] = set()

    def fetch(self) -> None:
        """Bring what an earlier attempt left."""
        self._known = {name.removeprefix(self._prefix) for name in self._runs.names(self._prefix)}
        for training in sorted({name.partition("/")[0] for name in self._known if name.endswith(STATE_FILE)}):
            with scratch_folder() as scratch:
                self._fetch(training, scratch)

    def _fetch(self, training: str, scratch: Path) -> None:
        state = scratch / STATE_FILE
        if not self._runs.fetch(f"{self._prefix}{training}/{STATE_FILE}", state):
            return
        arrays = _arrays(state)
        if arrays and self._runs.fetch(f"{self._prefix}{training}/{arrays}", scratch / arrays):
            target = self._here / training
            target.mkdir(parents=True, exist_ok=True)
            for name in (arrays, STATE_FILE):
                (target / name).write_bytes((scratch / name).read_bytes())
            self._sent[training] = arrays
            log.info("a checkpoint of an earlier attempt is there: %s", arrays)

    def send(self) -> None:
        """Bring there what is new here, and remove there what is gone here: a training that was finished."""
        trainings = {path.parent.name for path in self._here.glob(f"*/{STATE_FILE}")}
        for training in sorted(trainings):
            self._send(training)
        gone = {name for name in self._known if name.partition("/")[0] not in trainings}
        self._remove(gone)
        self._sent = {name: arrays for name, arrays in self._sent.items() if name in trainings}

    def _send(self, training: str) -> None:
        # On the checkpoints' own disk, for links; what a kill leaves goes with the workspace.
        with tempfile.TemporaryDirectory(prefix=".sending-", dir=self._here.parent) as scratch:  # noqa: TID251
            state, arrays = Path(scratch, STATE_FILE), ""
            with suppress(FileNotFoundError):  # written anew at this moment: seen at the next look
                state.write_bytes((self._here / training / STATE_FILE).read_bytes())
                arrays = _arrays(state)
                os.link(self._here / training / arrays, Path(scratch, arrays))
            if not arrays or not Path(scratch, arrays).is_file() or self._sent.get(training) == arrays:
                return
            self._runs.replace(Path(scratch, arrays), f"{self._prefix}{training}/{arrays}")
            self._runs.replace(state, f"{self._prefix}{training}/{STATE_FILE}")
        self._sent[training] = arrays
        kept = {f"{training}/{STATE_FILE}", f"{training}/{arrays}"}
        old = {name for name in self._known if name.startswith(f"{training}/")} - kept
        self._known |= kept
        self._remove(old)

    def remove(self) -> None:
        """Remove all of them there: the stage is done."""
        self._remove(set(self._known))

    def _remove(self, names: set[str]) -> None:
        for name in sorted(names, key=lambda name: not name.endswith(STATE_FILE)):
            self._runs.remove(f"{self._prefix}{name}")
            self._known.discard(name)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send in a thread while the block runs, and a last time after it; a failure is told, and no more."""
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,), name="checkpoints", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self._try()

    def _watch(self, ended: threading.Event) -> None:
        pause_s = _LOOK_EVERY_S
        while not ended.wait(pause_s):
            started_s = system.monotonic_s()
            self._try()
            pause_s = min(max(_LOOK_EVERY_S, _SPACING * (system.monotonic_s() - started_s)), _LONGEST_S)

    def _try(self) -> None:
        try:
            if self._here.is_dir():
                self.send()
        except (TailwatchError, OSError) as error:
            log.warning("the checkpoint could not be brought to safety now: %s", error)


def _arrays(state: Path) -> str:
    try:
        return Path(json.loads(state.read_bytes())["arrays"]).name
    except (ValueError, KeyError, TypeError):
        return ""
