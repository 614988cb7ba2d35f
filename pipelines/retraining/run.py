"""A retraining's run: what all of its tasks agree on from its first one on."""

import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from components.core import system
from components.core.errors import UsageError
from components.core.exchange import Exchange, claim, read_json
from components.core.s3 import is_address
from pipelines.retraining import git
from pipelines.retraining.entries import LATEST
from pipelines.retraining.places import Places

log = logging.getLogger("tailwatch")

_RUN = re.compile(r"[A-Za-z0-9._-]{1,200}")
_NAME = re.compile(r"\w[\w.-]*(@\w[\w.-]*)?")
_TAG = re.compile(r"[\w.-]{1,200}")
_LONGEST_TAG = 500


@dataclass(frozen=True)
class Run:
    """What a run's tasks read before they do anything.

    Attributes:
        name: its id.
        commit: the project's, whatever is committed meanwhile.
        dataset_root: where the data set lies; empty: where the commit's params.yaml says.
        began: when the run was begun, in UTC.
        tags: of the MLflow runs that it makes.
    """

    name: str
    commit: str
    dataset_root: str
    began: str
    tags: Mapping[str, str] = field(default_factory=dict)


def begin(
    places: Places, runs: Exchange, name: str, revision: str, dataset_root: str, tags: Mapping[str, str]
) -> Run:
    """Begin a run, or find it begun: its commit is then the one of the first time.

    Raises:
        UsageError: a name, a tag or a data set's root that is none.
        BadDataError: no such commit.
        StorageError: the repository or the place of runs does not answer.
    """
    found = find(runs, name)
    if found is None:
        _check_root(places, dataset_root)
        commit = git.resolve(places.project, places.project_folder, revision)
        began = system.utc_now().isoformat(timespec="seconds")
        run = Run(name, commit, dataset_root, began, _checked(tags))
        claim(runs, _object(name), _content(run))
        found = read(runs, name)
    log.info("run %s is of commit %s%s", name, found.commit, _about(found))
    return found


def read(runs: Exchange, name: str) -> Run:
    """A run that was begun.

    Raises:
        UsageError: it was not, or its name is none.
        BadDataError: its run.json cannot be read.
    """
    run = find(runs, name)
    if run is None:
        raise UsageError(
            f"The run {name} was not begun: {runs.address(_object(name))} is not there",
            wanted="a run that has begun",
            remedy=f"`tailwatch begin-run {name}` first, with the same TAILWATCH_RUNS",
        )
    return run


def find(runs: Exchange, name: str) -> Run | None:
    """A run, or None; raises as `read`."""
    if not _RUN.fullmatch(name) or set(name) == {"."} or name == LATEST:
        raise UsageError(
            f"{name!a} is no name of a run",
            wanted=f"1 to 200 letters, digits, `.`, `_` and `-`, and not {LATEST}",
            remedy="replace every other character by `-`",
        )
    return read_json(runs, _object(name), lambda said: Run(name=name, **said), "begin-run")


def check_stage(name: str) -> None:
    """Raise UsageError for what cannot be the name of a stage."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!a} is no name of a stage",
            wanted="a name as DVC has it, like ingest or train@fusion",
            remedy="correct it",
        )


def parse_tags(given: tuple[str, ...]) -> dict[str, str]:
    """Tags said as NAME=VALUE.

    Raises:
        UsageError: one that is not.
    """
    pairs = [text.partition("=") for text in given]
    wrong = [text for text, pair in zip(given, pairs, strict=True) if not pair[1]]
    if wrong:
        raise UsageError(f"--tag {wrong[0]}", wanted="NAME=VALUE", remedy="correct it")
    return {name: value for name, _, value in pairs}


def _checked(tags: Mapping[str, str]) -> dict[str, str]:
    for name, value in tags.items():
        if not _TAG.fullmatch(name) or len(value) > _LONGEST_TAG:
            raise UsageError(
                f"The tag {name!a} has {len(value)} characters",
                wanted=f"a name of letters, digits, `.`, `_`, `-`, and up to {_LONGEST_TAG} characters",
                remedy="correct or shorten it",
            )
    return dict(tags)


def _check_root(places: Places, root: str) -> None:
    """Refuse what is fixed for the run and no task could read."""
    if "://" in root:
        there = is_address(root)
    else:
        there = not root or places.project_folder is None or os.path.isdir(places.project_folder / root)
    if not there:
        raise UsageError(
            f"There is no data set at {root}", wanted="a folder, or s3://bucket/prefix", remedy="correct it"
        )


def _object(name: str) -> str:
    return f"{name}/run.json"


def _content(run: Run) -> bytes:
    values: dict[str, Any] = asdict(run)
    del values["name"]
    return f"{json.dumps(values, sort_keys=True, indent=1)}\n".encode()


def _about(run: Run) -> str:
    return f", its data set at {run.dataset_root}" if run.dataset_root else ""
