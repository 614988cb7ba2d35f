"""`tailwatch run-stage`: one stage of a run, executed once, its result handed to the stages after it."""

import logging
from typing import Any

from components.core.exchange import Exchange, open_exchange
from pipelines.part import Part
from pipelines.retraining import entries, timings
from pipelines.retraining.checkpoints import Mirror
from pipelines.retraining.child import call, do_dvc_work
from pipelines.retraining.entries import Entry
from pipelines.retraining.lease import Lease, hold
from pipelines.retraining.places import Places
from pipelines.retraining.run import Run, check_stage, read
from pipelines.retraining.workspace import workspace

log = logging.getLogger("tailwatch")

CLIPS = "outs/ingest/clips.csv"
_SAID = {
    "ran": "done",
    "restored": "taken from what an earlier run gave: not run",
    "unchanged": "unchanged: skipped",
    "done already": "done already in this run: skipped",
}


def run_stage(places: Places, name: str, stage: str) -> dict[str, Any]:
    """Run a stage of a run, or take what is there; what was done, as ids and digests.

    Args:
        name: the run's.
        stage: as DVC has it: `train@fusion`.

    Raises:
        UsageError: no such run or stage, or one before it has published nothing.
        StorageError: a place does not answer, or another process took the stage over.
        ResourceError: it was killed, or there is no room.
        SystemExit: the stage failed, with its own exit code.
    """
    check_stage(stage)
    runs = open_exchange(places.runs)
    run = read(runs, name)

    def find() -> Entry | None:
        return entries.find(runs, name, stage)

    with hold(runs, name, stage, is_done=lambda: find() is not None) as lease:
        done = find()
        if lease is None or done is not None:
            return _told(run, stage, "done already", done or {})
        result, entry = _execute(places, runs, run, stage, lease)
        lease.check()
        first = entries.publish(runs, name, stage, entry)
        if first != entry:
            log.warning("another execution of %s was published first: that one counts", stage)
        entries.remember(runs, stage, first)
        return _told(run, stage, result, first)


def warm_part(places: Places, name: str, stage: str, part: Part) -> dict[str, Any]:
    """Do one part of a stage's clips into the shared store; raises as `run_stage`."""
    check_stage(stage)
    runs = open_exchange(places.runs)
    run = read(runs, name)
    known = entries.published(runs, name)
    hint = known.get(stage) or entries.latest(runs, stage)
    with workspace(places, run, stage) as place:
        order = {"task": "warm", "name": stage, "paths": [CLIPS], "entries": known, "hint": hint}
        if do_dvc_work(place, order)["result"] == "unchanged":
            log.info("%s: unchanged: nothing to warm", stage)
            return {"stage": stage, "result": "unchanged", "part": str(part), "commit": run.commit}
        call(place, "warm", *stage.split("@"), "--part", str(part))
    log.info("%s: part %s is in the store", stage, part)
    return {"stage": stage, "result": "warmed", "part": str(part), "commit": run.commit}


def _execute(places: Places, runs: Exchange, run: Run, stage: str, lease: Lease) -> tuple[str, Entry]:
    order = {
        "task": "stage",
        "name": stage,
        "entries": entries.published(runs, run.name),
        "hint": entries.latest(runs, stage),
    }
    with workspace(places, run, stage) as place:
        mirror = Mirror(place.state("checkpoints"), runs, f"{run.name}/checkpoint/{stage}/")
        mirror.fetch()
        with mirror.sending():
            said = do_dvc_work(place, order, lease)
        mirror.remove()
        timings.send(place.state(timings.FOLDER), runs)
    return said["result"], said["entry"]


def _told(run: Run, stage: str, result: str, entry: Entry) -> dict[str, Any]:
    log.info("%s: %s", stage, _SAID[result])
    return {"stage": stage, "result": result, "lock": entries.digest_of(entry), "commit": run.commit}
