"""The steps after a run's stages: what is filed, promoted, drawn and kept."""

import json
import logging
import os
from typing import Any

from components.core.errors import without_secret
from components.core.exchange import Exchange, open_exchange, read_content
from components.core.files import file_sha256
from pipelines.params import PARAMS_FILE
from pipelines.provenance import LOCK_FILE
from pipelines.retraining import entries, git, timings
from pipelines.retraining.child import call, do_dvc_work
from pipelines.retraining.lease import hold
from pipelines.retraining.places import Places
from pipelines.retraining.run import Run, read
from pipelines.retraining.workspace import Workspace, workspace

log = logging.getLogger("tailwatch")

GIT_REMOTE_VARIABLE = "TAILWATCH_GIT_REMOTE"
STEPS = ("track", "promote", "report", "finish")


def run_step(places: Places, name: str, step: str, approved_by: str | None) -> dict[str, Any]:
    """Do a step of a run whose stages are all done; what was done, as ids and digests.

    Args:
        approved_by: who answers for a HOLD, of the step promote.

    Raises:
        UsageError: no such run, or a stage of it has published nothing.
        StorageError: a place or MLflow does not answer.
        SystemExit: the step failed, with its own exit code.
    """
    runs = open_exchange(places.runs)
    run = read(runs, name)
    with hold(runs, name, step, is_done=lambda: False), workspace(places, run, step) as place:
        known = entries.published(runs, name)
        names = [stage for stage in known if _reads(step, stage)]
        do_dvc_work(place, {"task": "pull", "names": names, "entries": known})
        match step:
            case "track":
                told = _track(place)
            case "promote":
                told = _promote(place, approved_by)
            case "report":
                told = _report(place, runs, run)
            case _:
                told = _finish(place, runs, run, git_remote(places))
    log.info("%s: done", step)
    return {"stage": step, "result": "ran", "commit": run.commit, **told}


def git_remote(places: Places) -> str:
    """The address to which dvc.lock is pushed; empty: to none.

    Raises:
        UsageError: the environment names a remote that is none for this project.
    """
    named = os.environ.get(GIT_REMOTE_VARIABLE, "")
    return git.address_of(named, places.project_folder) if named else ""


def _track(place: Workspace) -> dict[str, Any]:
    said = json.loads(call(place, "track", "--json"))
    return {"mlflow_run": said["run"], "experiment": said["experiment"], "lock": _lock_digest(place)}


def _promote(place: Workspace, approved_by: str | None) -> dict[str, Any]:
    approval = [] if approved_by is None else ["--approve", approved_by]
    said = json.loads(call(place, "promote", "--json", *approval))
    return {name: said[name] for name in ("decision", "promoted", "model", "version", "champion")}


def _report(place: Workspace, runs: Exchange, run: Run) -> dict[str, Any]:
    timings.fetch(runs, place.state(timings.FOLDER))
    call(place, "report")
    folder = place.root / "reports"
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        runs.replace(path, f"{run.name}/report/{path.relative_to(folder).as_posix()}")
    page = runs.address(f"{run.name}/report/index.html")
    log.info("the report is at %s", page)
    return {"report": page}


def _finish(place: Workspace, runs: Exchange, run: Run, remote: str) -> dict[str, Any]:
    """Keep dvc.lock with the run, and on a branch of its own where a git remote is named."""
    name = f"{run.name}/{LOCK_FILE}"
    if read_content(runs, name) != (place.root / LOCK_FILE).read_bytes():
        runs.replace(place.root / LOCK_FILE, name)
    told = {"lock": _lock_digest(place)}
    if remote:
        branch = branch_of(run)
        message = f"dvc.lock of retraining {run.name}"
        git.push(place.root, [LOCK_FILE, PARAMS_FILE], message, run.began, remote, branch)
        log.info("dvc.lock is on branch %s of %s", branch, without_secret(remote))
        told["branch"] = branch
    return told


def _reads(step: str, stage: str) -> bool:
    """Whether a step reads the outs of a stage; tensors are large."""
    return step != "finish" and not (step == "track" and stage.partition("@")[0] == "reshape")


def branch_of(run: Run) -> str:
    """The branch that keeps a run's dvc.lock, under a name that git takes."""
    name = run.name.replace("..", "-").strip(".")
    name = f"{name[:-5]}-lock" if name.endswith(".lock") else name
    return f"retrain/{run.began[:10]}-{name}"


def _lock_digest(place: Workspace) -> str:
    return file_sha256(place.root / LOCK_FILE)
