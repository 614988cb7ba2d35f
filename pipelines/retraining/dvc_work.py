"""One process of DVC for one stage of a run: what a retraining asks of it, and nothing else.

Run in a private workspace, whose commit has its own code for the stages. Reads an order and writes an
answer, both JSON:

    {"task": "stage", "name": "train@fusion", "entries": {...}, "hint": {...} | null}
    {"task": "warm", ..., "paths": [...]}                  nothing is run: fetched, unless it is unchanged
    {"task": "pull", "names": [...], "entries": {...}}     the outs of these stages, of a run that is done

Entries are of dvc.lock, by stage; of those only what the task stands on is used. The answer has `result`, the
stage's `entry`, or an `error` with its `text`.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core import system
from pipelines.dvc_files import FOLDER, folder_md5
from pipelines.dvc_state import pipeline_stages
from pipelines.retraining.dvc_failures import WorkError, failing
from pipelines.retraining.dvc_runs import fetch_runs, locked, send_runs, stage_of

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.stage import PipelineStage

LOCK_FILE = "dvc.lock"

Entries = Mapping[str, Mapping[str, Any]]


def work(order: Mapping[str, Any]) -> dict[str, Any]:
    """Do what is ordered in the current folder.

    Raises:
        WorkError: it failed.
    """
    name, hint = order.get("name", ""), order.get("hint")
    _write_lock(order["entries"] if hint is None else {**order["entries"], name: hint})
    with failing("usage"):
        from dvc.repo import Repo

        repo = Repo()
        repo.scm_context.quiet = True  # nobody adds files to this clone
        graph = repo.index.graph
    stages = pipeline_stages(graph)
    if order["task"] == "pull":
        return _pull(repo, _needed(order["entries"], sorted(stages), "this step"), order["names"])
    if name not in stages:
        raise WorkError("usage", f"There is no stage {name}; the stages are {', '.join(sorted(stages))}")
    import networkx as nx

    above = sorted(pipeline_stages(nx.descendants(graph, stages[name])))
    entries = _needed(order["entries"], above, name)
    if hint is not None and _fits(repo, stages[name], entries, hint):
        return {"result": "unchanged", "entry": hint}
    if order["task"] == "warm":
        return _pull(repo, entries, order["paths"])
    return _run(repo, name, entries)


def _needed(entries: Entries, names: list[str], wanted_by: str) -> dict[str, Mapping[str, Any]]:
    missing = [name for name in names if name not in entries]
    if missing:
        raise WorkError(
            "missing", f"{wanted_by} needs {', '.join(missing)}, of which this run has published nothing"
        )
    return {name: entries[name] for name in names}


def _pull(repo: "Repo", entries: Entries, targets: list[str]) -> dict[str, Any]:
    _write_lock(entries)
    repo._reset()
    _pull_all(repo, targets)
    return {"result": "pulled"}


def _fits(repo: "Repo", stage: "PipelineStage", entries: Entries, hint: Mapping[str, Any]) -> bool:
    """Whether an earlier entry of a stage is what this run would give, and its outs are in the remote.

    DVC takes a dep that is not here for unchanged, so those that the stages above make are compared by
    their digests, and those for which these do not answer are fetched to be looked at.
    """
    made = {out["path"]: _digest(out) for entry in entries.values() for out in entry.get("outs", ())}
    deps = hint.get("deps", ())
    above = {dep["path"]: made.get(dep["path"]) or _gathered(dep["path"], made) for dep in deps}
    given = {path for path, digest in above.items() if digest}
    if any(_digest(dep) != above[dep["path"]] for dep in deps if dep["path"] in given):
        return False
    looked_at = [dep for dep in stage.deps if dep.def_path not in given]
    _pull_all(repo, [path for dep in looked_at for path in _sources(dep.def_path, made)])
    with failing("storage"), locked(repo):
        if not all(dep.exists for dep in looked_at) or stage.changed(allow_missing=True):
            return False
        return not any(_lost(repo, out) for out in stage.outs)


def _run(repo: "Repo", name: str, entries: Entries) -> dict[str, Any]:
    _write_lock(entries)
    repo._reset()
    made = [out["path"] for entry in entries.values() for out in entry.get("outs", ())]
    absent = [dep.def_path for dep in stage_of(repo, name).deps if not dep.exists]
    _pull_all(repo, [path for dep in absent for path in _sources(dep, made)])
    record = Path(".tailwatch", "exit", name)
    record.unlink(missing_ok=True)
    repo.stage_cache.pull = lambda *_: fetch_runs(repo, name)
    with failing("stage"):
        repo.reproduce([name], single_item=True, pull=True)
    entry = _read_lock()[name]
    _check_deps(name, entry, entries)
    with failing("storage"):
        repo.push([name])
        for out in stage_of(repo, name).outs:
            _send_lost(repo, out)
        send_runs(repo, name)
    return {"result": "ran" if record.exists() else "restored", "entry": entry}


def _check_deps(name: str, entry: Mapping[str, Any], entries: Entries) -> None:
    """What a stage says it read must be what the stages above gave."""
    made = {out["path"]: out for other in entries.values() for out in other.get("outs", ())}
    for dep in entry.get("deps", ()):
        given = made.get(dep["path"])
        if given is not None and _digest(given) != _digest(dep):
            raise WorkError(
                "storage", f"{name} read another {dep['path']} than the one that this run has published"
            )


def _pull_all(repo: "Repo", targets: list[str]) -> None:
    from dvc.exceptions import CheckoutError, DownloadError
    from dvc_objects.errors import ObjectFormatError

    if not targets:
        return
    with failing("storage"):
        try:
            repo.pull(targets)
        except (CheckoutError, DownloadError, ObjectFormatError):
            _remove_damaged(repo, targets)
            raise


def _remove_damaged(repo: "Repo", targets: list[str]) -> None:
    """Take out of the remote what is not what its name says: DVC would never send it again.

    Raises:
        WorkError: there was such an object.
    """
    removed = []
    for out in repo.index.outs:
        if any(target == out.def_path or _is_in(target, out.def_path) for target in targets):
            remote = _remote(repo, out)
            digests = sorted({str(out.hash_info.value), *(_files(remote, out) or ())})
            for digest in remote.list_oids_exists(digests):
                if not _is_whole(remote, digest):
                    remote.fs.remove(remote.oid_to_path(digest))
                    removed.append(f"{remote.oid_to_path(digest)} (of {out.def_path})")
    if removed:
        raise WorkError(
            "damaged", f"The remote held damaged objects, which are removed from it: {', '.join(removed)}"
        )


def _write_lock(entries: Entries) -> None:
    from dvc.utils.serialize import dump_yaml

    Path(LOCK_FILE).unlink(missing_ok=True)
    if entries:
        dump_yaml(LOCK_FILE, {"schema": "2.0", "stages": {name: entries[name] for name in sorted(entries)}})


def _read_lock() -> dict[str, Any]:
    from dvc.utils.serialize import load_yaml

    stages: dict[str, Any] = load_yaml(LOCK_FILE)["stages"]
    return stages


def _lost(repo: "Repo", out: Any) -> list[str]:
    """The digests that the remote lacks of an out: of a folder its listing, or files that this names."""
    remote = _remote(repo, out)
    files = _files(remote, out)
    if files is None:
        return [str(out.hash_info.value)]
    digests = sorted({str(out.hash_info.value), *files})
    return sorted(set(digests).difference(remote.list_oids_exists(digests)))


def _send_lost(repo: "Repo", out: Any) -> None:
    """Bring what a push left out: to DVC a folder whose listing is in the remote is there as a whole."""
    lost = _lost(repo, out)
    if lost:
        paths = [out.cache.oid_to_path(digest) for digest in lost]
        _remote(repo, out).add(paths, out.cache.fs, lost, check_exists=False)


def _files(remote: Any, out: Any) -> set[str] | None:
    """The digests that a folder's listing names; None of a folder whose listing the remote has not whole."""
    from dvc_data.hashfile.tree import Tree

    if not out.hash_info.isdir:
        return set()
    if not _is_whole(remote, str(out.hash_info.value)):
        return None
    return {str(file.value) for _, _, file in Tree.load(remote, out.hash_info)}


def _is_whole(remote: Any, digest: str) -> bool:
    """Whether the remote has an object, and it is what its name says."""
    from dvc_data.hashfile.hash import hash_file

    try:
        _, found = hash_file(remote.oid_to_path(digest), remote.fs, remote.hash_name)
    except FileNotFoundError:
        return False
    return bool(found.value == digest.removesuffix(FOLDER))


def _remote(repo: "Repo", out: Any) -> Any:
    return repo.cloud.get_remote_odb(None, "push", hash_name=out.hash_name)


def _digest(entry: Mapping[str, Any]) -> str:
    return str(entry.get("md5") or entry.get("etag") or "")


def _gathered(folder: str, made: Mapping[str, str]) -> str:
    """The digest by which DVC names a folder of outs that are all files; empty for another folder."""
    files = {path.removeprefix(f"{folder}/"): digest for path, digest in made.items() if _is_in(path, folder)}
    if not files or any(digest.endswith(FOLDER) for digest in files.values()):
        return ""
    return folder_md5(files)


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def _sources(dep: str, made: Iterable[str]) -> list[str]:
    """What is fetched for a dep: an out, something in it, or all outs of the folder that it is."""
    if any(dep == out or _is_in(dep, out) for out in made):
        return [dep]
    return [out for out in made if _is_in(out, dep)]


def _govern_stages() -> None:
    """Let commands of stages run the workspace's code, and end at once when this process does.

    A stage asks for the latter itself, but only once it has loaded its code, and then for time to write a
    checkpoint, which nobody would be left to bring to safety.
    """
    from dvc.stage import run

    given = run.prepare_kwargs

    def prepare_kwargs(*arguments: Any, **options: Any) -> dict[str, Any]:
        made = given(*arguments, **options)
        made["env"]["PYTHONPATH"] = str(Path.cwd())
        return {**made, "preexec_fn": system.ask_to_die_with(os.getpid())}

    run.prepare_kwargs = prepare_kwargs


def main(order: str, answer: str) -> int:
    """Do an order's work; 1 if it failed."""
    _govern_stages()
    try:
        said = work(json.loads(Path(order).read_text(encoding="utf-8")))
    except WorkError as error:
        said = {"error": error.kind, "text": error.text}
    Path(answer).write_text(json.dumps(said), encoding="utf-8")
    return int("error" in said)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
