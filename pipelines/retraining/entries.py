"""Entries of dvc.lock, by which the tasks of a run hand their results to each other."""

import json
from collections.abc import Mapping
from typing import Any

from components.core.errors import BadDataError
from components.core.exchange import Exchange, claim, read_json, write_content
from components.core.files import digest

LATEST = "latest"
Entry = Mapping[str, Any]


def published(runs: Exchange, run: str) -> dict[str, Entry]:
    """The entries that a run's stages have published, by stage."""
    folder = f"{run}/lock/"
    names = [name.removeprefix(folder).removesuffix(".json") for name in runs.names(folder)]
    return {name: entry for name in names if (entry := find(runs, run, name)) is not None}


def find(runs: Exchange, run: str, stage: str) -> Entry | None:
    """The entry that a stage of a run has published, or None."""
    return _read(runs, _object(run, stage))


def publish(runs: Exchange, run: str, stage: str, entry: Entry) -> Entry:
    """Publish a stage's entry, unless it has one: what counts for the run is what was published first.

    Raises:
        BadDataError: an entry that JSON would alter.
    """
    content = _content(stage, entry)
    if not claim(runs, _object(run, stage), content):
        first = find(runs, run, stage)
        return entry if first is None else first
    return entry


def latest(runs: Exchange, stage: str) -> Entry | None:
    """The newest entry of a stage in any run: only a hint, by which an unchanged stage is known quickly."""
    try:
        return _read(runs, f"{LATEST}/{stage}.json")
    except BadDataError:
        return None


def remember(runs: Exchange, stage: str, entry: Entry) -> None:
    """Make an entry the newest of its stage."""
    if latest(runs, stage) != entry:
        write_content(runs, f"{LATEST}/{stage}.json", _content(stage, entry))


def digest_of(entry: Entry) -> str:
    """SHA-256 of an entry."""
    return digest(entry)


def _object(run: str, stage: str) -> str:
    return f"{run}/lock/{stage}.json"


def _content(stage: str, entry: Entry) -> bytes:
    text = json.dumps(entry, indent=1, allow_nan=False, default=str)
    if json.loads(text) != entry:
        raise BadDataError(
            f"The entry of {stage} in dvc.lock has values that JSON does not hold",
            wanted="parameters of text, numbers, lists, and sections whose names are text",
            remedy="correct the stage's parameters in params.yaml",
        )
    return f"{text}\n".encode()


def _read(runs: Exchange, name: str) -> Entry | None:
    return read_json(runs, name, lambda said: dict(said, cmd=said["cmd"]), "run-stage")
