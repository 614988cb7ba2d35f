"""`dvc repro`, one at a time in a project, its exit code that of the stage that failed."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

from components.core import system
from components.core.system import is_alive, is_unreaped
from pipelines.dvc_at_rest import RWLOCK, cut_short, lock_holders
from pipelines.dvc_command import COMMAND, environment
from pipelines.params import read_params
from pipelines.running import KILLED, alone, forget_codes, killed, recorded_codes
from pipelines.signals import wait_passing_on

log = logging.getLogger("tailwatch")

_UNKNOWN = 1  # DVC failed before or after a stage, and said why
_LOOK_AGAIN_S = 0.1
_REAPING_S = 10.0


def run(folder: Path, arguments: Sequence[str]) -> int:
    """Run `dvc repro`; a second one in the same project waits for the first. Gives the exit code.

    A SIGTERM or ctrl-C goes to the stage at work, which writes down what it can and ends with 143 or 130.

    Raises:
        UsageError: no project, or its params.yaml does not fit.
        ResourceError: a stage was killed from outside.
    """
    read_params(folder)  # DVC fills dvc.yaml from what is checked here, and would fail in words of its own
    with alone(folder, "repro"):
        _wait_for_dvc(folder)
        code, passed_on = _repro(folder, arguments)
        if code and not passed_on and not recorded_codes(folder) and _set_aside_cut_files(folder):
            code, passed_on = _repro(folder, arguments)
        return _meaning(folder, passed_on) if code else 0


def _repro(folder: Path, arguments: Sequence[str]) -> tuple[int, list[int]]:
    forget_codes(folder)
    process = system.start_beside([*COMMAND, "repro", *arguments], folder, environment(), apart=True)
    return wait_passing_on(process)


def _set_aside_cut_files(folder: Path) -> bool:
    """Whether there were files that a killed DVC had cut short; its run cache has what dvc.lock named."""
    found = cut_short(folder)
    for path in found:
        aside = (folder / RWLOCK).with_name(f"{path.name}.cut")
        log.warning(
            "%s was cut short, as by a killed DVC: it is %s now, and DVC begins anew", path.name, aside
        )
        system.rename(path, aside)
    return bool(found)


def _meaning(folder: Path, passed_on: Sequence[int]) -> int:
    """The exit code of a run that failed; DVC's own is 255 or 1 whatever the reason."""
    if passed_on:
        return 128 + passed_on[0]
    codes = {stage: code for stage, code in recorded_codes(folder).items() if code}
    ended = [stage for stage, code in codes.items() if code == KILLED]
    if ended:
        raise killed(ended[0])
    return next(iter(codes.values()), _UNKNOWN)


def _wait_for_dvc(folder: Path) -> None:
    """Wait until no other DVC process works here: DVC itself would ask for files to be removed by hand.

    It takes a dead process that nobody has reaped yet for a living one, and in some containers nobody does.
    """
    told, reaped_s = False, system.monotonic_s() + _REAPING_S
    while holders := [one for one in lock_holders(folder) if is_alive(one) or is_unreaped(one)]:
        at_work = [process for process in holders if is_alive(process)]
        if at_work and not told:
            log.warning("DVC is at work, as process %d: waiting for it", at_work[0])
            told = True
        if not at_work and system.monotonic_s() > reaped_s:
            system.remove(folder / RWLOCK)
            return
        time.sleep(_LOOK_AGAIN_S)
