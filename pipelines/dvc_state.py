"""What DVC itself says of each stage: asked through its API, so that it is what `dvc repro` would do."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.errors import StorageError, UsageError
from components.tracking.records import flatten
from pipelines.dvc_at_rest import runs_a_stage
from pipelines.provenance import LOCK_FILE, StageLock, provenance_so_far

if TYPE_CHECKING:
    from dvc.stage import PipelineStage, Stage


@dataclass(frozen=True)
class StageState:
    """One stage against its entry in dvc.lock.

    Attributes:
        name: as DVC has it: "train@fusion".
        lock: its last run; None if dvc.lock knows of none.
        cmd: as dvc.yaml has it now.
        deps, outs: path to what is wrong with it: "modified", "deleted", "not in cache", ...
        params: name to (then, now) of every parameter that changed; None where there is none.
        made: DVC's digests of the outs that are deps of others, as dvc.lock has them.
    """

    name: str
    lock: StageLock | None
    cmd: str
    deps: Mapping[str, str] = field(default_factory=dict)
    outs: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether anything is another than in dvc.lock."""
        cmd_changed = self.lock is None or self.lock.cmd != self.cmd
        return bool(cmd_changed or self.deps or self.outs or self.params)


class DvcState:
    """The stages of a project.

    Args:
        root: the project's folder.

    Raises:
        UsageError: there is no DVC project, or its dvc.yaml cannot be read.
        StorageError: a run of DVC holds a stage.
    """

    def __init__(self, root: Path) -> None:
        logging.getLogger("dvc").setLevel(logging.ERROR)
        from dvc.repo import Repo

        self.root = root
        with answering(), chdir(root):
            self._repo = Repo(str(root))
            self._graph = self._repo.index.graph
            self._stages = pipeline_stages(self._repo.index.stages)
        self._lock = provenance_so_far(root).stages

    def names(self, wanted: str | None = None) -> list[str]:
        """Stages in the order of the flow: all, one, or all items of one.

        Raises:
            UsageError: no stage of this name.
        """
        found = [name for name in self._in_order if wanted in (None, name, name.partition("@")[0])]
        if not found:
            raise UsageError(
                f"There is no stage {wanted}",
                wanted=f"one of {', '.join(self._in_order)}",
                remedy="correct the name, or enable the model in params.yaml",
            )
        return found

    def before(self, name: str) -> list[str]:
        """The stages that run before this one, in the order of the flow."""
        import networkx as nx

        above = nx.descendants(self._graph, self._stages[name])
        return [other for other in self._in_order if self._stages[other] in above]

    def makers(self, name: str, path: str) -> list[str]:
        """The stages among those before this one that make a dep of it, or something in it."""
        return [other for other in self.before(name) if any(_inside(out, path) for out in self.outs(other))]

    def outs(self, name: str) -> list[str]:
        """Paths that a stage makes."""
        return [str(out.def_path) for out in self._stages[name].outs]

    def state(self, name: str) -> StageState:
        """A stage against dvc.lock."""
        if name not in self._states:
            self._states[name] = self._ask(self._stages[name])
        return self._states[name]

    def digest_now(self, name: str, path: str) -> str:
        """The digest that dvc.lock would have now for a dep of a stage; empty if it is not there."""
        with self._asking():
            dep = next(dep for dep in self._stages[name].deps if dep.def_path == path)
            if not dep.exists:
                return ""
            dep.save()
            return str(dep.hash_info.value)

    def is_kept(self, name: str) -> bool:
        """Whether DVC would take the stage's result from its cache in place of running it."""
        stage, state = self._stages[name], self.state(name)
        if "deleted" in state.deps.values():
            return False
        with self._asking():
            if state.changed and set(state.outs) and not (state.deps or state.params):
                return bool(stage.outs_cached())
            stage.save_deps()
            runs = self._repo.stage_cache
            entry = runs._load(stage)  # as StageCache.restore does it
            return bool(entry and runs._create_stage(entry, wdir=stage.wdir).outs_cached())

    @property
    def cache(self) -> Path:
        """The folder of DVC's cache that holds objects by their MD5."""
        return Path(self._repo.cache.local.path)

    @property
    def run_cache(self) -> Path:
        """The folder in which DVC remembers what each run of a stage gave."""
        return Path(self._repo.stage_cache.cache_dir)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other run of DVC out.

        Raises:
            StorageError: one is at work.
        """
        with self._asking():
            if runs_a_stage(self.root):
                raise _at_work("a run of DVC that has ended")
            yield

    @property
    def site_cache(self) -> Path:
        """Where DVC remembers digests of files by their paths, outside the project."""
        return Path(self._repo.site_cache_dir)

    def remotes(self) -> dict[str, str]:
        """DVC's remotes by name, with their addresses."""
        return {name: str(settings["url"]) for name, settings in self._repo.config["remote"].items()}

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """DVC names what it finds as seen from the working folder."""
        with answering(), chdir(self.root), self._repo.lock:
            yield

    @cached_property
    def _in_order(self) -> list[str]:
        import networkx as nx

        return list(pipeline_stages(nx.dfs_postorder_nodes(self._graph)))

    @cached_property
    def _states(self) -> dict[str, StageState]:
        return {}

    def _ask(self, stage: "PipelineStage") -> StageState:
        with self._asking():
            found = [entry for entry in stage.status().get(stage.addressing, []) if isinstance(entry, dict)]
        deps = {path: how for entry in found for path, how in entry.get("changed deps", {}).items()}
        outs = {path: how for entry in found for path, how in entry.get("changed outs", {}).items()}
        params = _changed_params(stage) if any(isinstance(how, dict) for how in deps.values()) else {}
        plain = {path: how for path, how in deps.items() if isinstance(how, str)}
        return StageState(stage.name, self._lock.get(stage.name), str(stage.cmd), plain, outs, params)


def pipeline_stages(stages: Iterable["Stage"]) -> dict[str, "PipelineStage"]:
    """The stages of dvc.yaml by name; what `dvc add` tracks is one without a name to DVC."""
    from dvc.stage import PipelineStage

    return {stage.name: stage for stage in stages if isinstance(stage, PipelineStage)}


@dataclass(frozen=True)
class DvcCache:
    """The folders of DVC's cache, wherever DVC is told to keep it.

    Attributes:
        objects: files by their MD5.
        runs: what each run of a stage gave.
    """

    objects: Path
    runs: Path


def dvc_cache(root: Path) -> DvcCache | None:
    """DVC's cache of a project; None where DVC was never set up."""
    from dvc.repo import Repo

    with answering(), Repo(str(root), uninitialized=True) as repo:  # git may be missing
        if not repo.dvc_dir:
            return None
        return DvcCache(Path(repo.cache.local.path), Path(repo.stage_cache.cache_dir))


@contextmanager
def answering() -> Iterator[None]:
    """Turn DVC's failures inside the block into ours."""
    from dvc.exceptions import DvcException
    from dvc.lock import LockError

    try:
        yield
    except LockError as error:
        raise _at_work("its lock") from error
    except DvcException as error:
        raise UsageError(
            f"DVC cannot read this project: {error}",
            wanted=f"dvc.yaml, params.yaml and {LOCK_FILE} that fit each other",
            remedy="run `dvc status`, and mend what it names",
        ) from error


def _at_work(wanted: str) -> StorageError:
    return StorageError(
        "DVC is at work in this project",
        wanted=wanted,
        remedy="wait until the other command has ended, then run this again",
    )


def _changed_params(stage: "PipelineStage") -> dict[str, tuple[Any, Any]]:
    """Then and now of each parameter that is another, by its full name."""
    from dvc.dependency import ParamsDependency

    changed: dict[str, tuple[Any, Any]] = {}
    for dep in stage.deps:
        if isinstance(dep, ParamsDependency):
            then = flatten(dep.hash_info.value or {}) if dep.hash_info else {}
            now = flatten(dep.read_params())
            names = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
            changed |= {name: (then.get(name), now.get(name)) for name in names}
    return changed


def _inside(out: str, path: str) -> bool:
    return out == path or out.startswith(f"{path}/")
