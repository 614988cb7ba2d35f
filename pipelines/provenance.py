"""Where a result comes from: the commit, the state of dvc.lock, what each stage read."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.core import system
from components.core.errors import BadDataError
from components.core.files import digest
from components.tracking.records import DataInput

LOCK_FILE = "dvc.lock"
TAGS_VARIABLE = "TAILWATCH_RUN_TAGS"
CODE = ("components/", "pipelines/", "requirements.lock")


@dataclass(frozen=True)
class StageLock:
    """What DVC knows of one run of a stage.

    Attributes:
        deps, outs: path to DVC's digest.
        params: as they stood.
    """

    cmd: str
    deps: Mapping[str, str]
    outs: Mapping[str, str]
    params: Mapping[str, Any]

    def key(self) -> str:
        """Digest of all that the stage was made by."""
        return digest({"cmd": self.cmd, "deps": dict(self.deps), "params": dict(self.params)})

    def code(self) -> str:
        """Digest of the code that it stands on."""
        return digest({path: md5 for path, md5 in self.deps.items() if path.startswith(CODE)})

    def read(self) -> dict[str, str]:
        """The data that it read, path to digest, code left out."""
        return {path: md5 for path, md5 in sorted(self.deps.items()) if not path.startswith(CODE)}

    def data(self, context: str) -> list[DataInput]:
        """The same for MLflow."""
        return [
            DataInput(path.removeprefix("outs/").replace("/", "."), md5, path, context)
            for path, md5 in self.read().items()
        ]


@dataclass(frozen=True)
class Provenance:
    """The project's state.

    Attributes:
        lock: SHA-256 of dvc.lock.
        stages: by DVC's name: "train@fusion".
        commit: git's, or empty outside a repository.
        dirty: whether tracked files differ from the commit.
    """

    lock: str
    stages: Mapping[str, StageLock]
    commit: str
    dirty: bool

    def tags(self) -> dict[str, str]:
        """What every run and version carries; a retraining adds its own, as TAILWATCH_RUN_TAGS says them."""
        return {
            **json.loads(os.environ.get(TAGS_VARIABLE) or "{}"),
            "tailwatch.dvc_lock": self.lock,
            "tailwatch.git_commit": self.commit,
            "tailwatch.git_dirty": str(self.dirty).lower(),
        }

    def made(self, *paths: str) -> dict[str, str]:
        """Digests of outs, empty for one that no stage made."""
        outs = {path: md5 for stage in self.stages.values() for path, md5 in stage.outs.items()}
        return {path: outs.get(path, "") for path in paths}

    def data_tags(self) -> dict[str, str]:
        """DVC's digests of the data set, of its labels and of the scalers."""
        ingest = self.stages.get("ingest")
        digests = (
            {}
            if ingest is None
            else {"dataset": _dataset_digest(ingest)}
            | {Path(path).stem: md5 for path, md5 in ingest.outs.items()}
        )
        return {f"tailwatch.data.{name}": md5 for name, md5 in sorted(digests.items()) if md5}


def read_provenance(root: Path) -> Provenance:
    """The state of a project's folder.

    Raises:
        BadDataError: there is no dvc.lock, or it is none.
    """
    path = root / LOCK_FILE
    if not path.is_file():
        raise BadDataError(f"{path} is not there", wanted="a pipeline that ran", remedy="run `dvc repro`")
    content = path.read_bytes()
    return Provenance(hashlib.sha256(content).hexdigest(), _stages(path, content), *git_state(root))


def provenance_so_far(root: Path) -> Provenance:
    """The state while stages still run; before the first has ended, nothing is known of any."""
    if (root / LOCK_FILE).is_file():
        return read_provenance(root)
    return Provenance("", {}, *git_state(root))


def git_state(root: Path) -> tuple[str, bool]:
    """The commit and whether tracked files differ from it; nothing outside a repository."""
    return _git(root, "rev-parse", "HEAD"), bool(_git(root, "status", "--porcelain", "--untracked-files=no"))


def uncommitted(root: Path) -> list[str]:
    """Files of code, and dvc.yaml, that differ from the commit or are not in it."""
    said = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *CODE, "dvc.yaml")
    return sorted(line.split(maxsplit=1)[1] for line in said.splitlines())


def _stages(path: Path, content: bytes) -> dict[str, StageLock]:
    try:
        return {name: _stage(entry) for name, entry in yaml.safe_load(content)["stages"].items()}
    except (yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise BadDataError(
            f"{path} is no lock file: {error}",
            wanted="DVC's",
            remedy="run `tailwatch repro`, which begins without it: DVC's run cache has what it named",
        ) from error


def _stage(entry: Mapping[str, Any]) -> StageLock:
    params = {name: value for part in entry.get("params", {}).values() for name, value in part.items()}
    return StageLock(entry["cmd"], _digests(entry.get("deps", [])), _digests(entry.get("outs", [])), params)


def _digests(entries: list[Mapping[str, Any]]) -> dict[str, str]:
    """Path to digest; a remote path has an ETag in place of an MD5."""
    return {str(entry["path"]): str(entry.get("md5") or entry.get("etag") or "") for entry in entries}


def _dataset_digest(ingest: StageLock) -> str:
    own = [md5 for path, md5 in ingest.deps.items() if not path.startswith(CODE)]
    return own[0] if own else ""


def _git(root: Path, *arguments: str) -> str:
    """What git says, or nothing where there is no git or no repository."""
    try:
        done = system.run(["git", "-C", str(root), *arguments])
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
