"""why: what changed since a stage last ran, so that nobody needs to wonder why it runs again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from components.core.code import changed_parts
from components.core.errors import BadDataError, TailwatchError, one_line
from components.core.tables import read_csv
from components.datasets.clips import Clip
from components.features.chain import ClipChain
from pipelines import dvc_files, ran
from pipelines.artifacts import Project
from pipelines.data_set import Difference, clips_ahead, differences_in_words, look
from pipelines.dvc_state import DvcState, StageState
from pipelines.provenance import CODE

SHORT = 60  # letters of two values that are shown
VERBS = {"extract": "decoded", "segment": "segmented", "featurize": "measured", "reshape": "rendered"}


@dataclass(frozen=True)
class Cause:
    """One thing that is another than when the stage last ran.

    Attributes:
        what: the path, or the parameter's name.
        then, now: of a parameter or a command.
        how: what happened to it, in words.
        details: what in it differs, as far as that is known here.
        note: why no more is known, or what else there is to know.
    """

    kind: Literal["never ran", "command", "parameter", "code", "data", "output"]
    what: str
    how: str
    then: Any = None
    now: Any = None
    details: tuple[Difference, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Why:
    """Whether and why `dvc repro` would run a stage.

    Attributes:
        runs: "perhaps" if it only follows from what stages before it will give; "kept" if its result for
            this very state lies in DVC's cache and is taken from there.
        before: stages before it that are not up to date, in the order of the flow.
        clips: for a stage over clips, how many would be made anew and how many taken from the store.
    """

    stage: str
    runs: Literal["yes", "no", "perhaps", "kept"]
    causes: tuple[Cause, ...]
    before: tuple[str, ...]
    clips: dict[str, Any] | None


def run(project: Project, wanted: str | None) -> list[Why]:
    """What would run and why.

    Args:
        wanted: a stage, a stage with its item, or None for all.

    Raises:
        UsageError: no such stage, or no project of DVC's.
        StorageError: DVC is at work.
    """
    dvc = DvcState(project.root)
    return [_why(project, dvc, name) for name in dvc.names(wanted)]


def _why(project: Project, dvc: DvcState, name: str) -> Why:
    state = dvc.state(name)
    before = [other for other in dvc.before(name) if dvc.state(other).changed]
    causes = tuple(_causes(project, dvc, state, set(before)))
    runs = _runs(dvc, name, causes, before)
    clips = None if runs in ("no", "kept") else _clips(project, name)
    return Why(name, runs, causes, tuple(before), clips)


def _runs(
    dvc: DvcState, name: str, causes: tuple[Cause, ...], before: list[str]
) -> Literal["yes", "no", "perhaps", "kept"]:
    if not causes:
        return "perhaps" if before else "no"
    return "kept" if not before and dvc.is_kept(name) else "yes"


def _causes(project: Project, dvc: DvcState, state: StageState, unsettled: set[str]) -> Iterator[Cause]:
    if state.lock is None:
        yield Cause("never ran", state.name, "never ran under this dvc.lock")
        return
    if state.lock.cmd != state.cmd:
        yield Cause("command", "cmd", "changed", state.lock.cmd, state.cmd)
    for param, (then, now) in state.params.items():
        yield Cause("parameter", param, "changed", then, now)
    for path, how in state.deps.items():
        makers = dvc.makers(state.name, path)
        if not unsettled.intersection(makers):
            yield _dep(project, dvc, state, path, how, makers)
    for path, how in state.outs.items():
        words = {"deleted": "is missing", "not in cache": "is missing from DVC's cache"}
        yield Cause("output", path, words.get(how, "is not what the stage wrote"))


def _dep(project: Project, dvc: DvcState, state: StageState, path: str, how: str, makers: list[str]) -> Cause:
    """What is to be known of one dep that is another than in dvc.lock."""
    then = state.lock.deps.get(path, "") if state.lock else ""
    kind: Literal["code", "data"] = "code" if path.startswith(CODE) else "data"
    if how == "deleted":
        return Cause(kind, path, "is missing")
    if not then:
        return Cause(kind, path, "was no dependency then")
    made = f"changed: {', '.join(makers)} ran since" if makers else "changed"
    if kind == "code":
        details, note = _code(project.root, path, then, dvc.cache)
    elif path == project.params.dataset.root:
        details, note = differences_in_words(project)
    else:
        details, note = _made_data(project.root, path, then, dvc.cache)
    return Cause(kind, path, made, details=tuple(details), note=note)


def _code(root: Path, path: str, then: str, cache: Path) -> tuple[list[Difference], str]:
    """The files of code that differ, and what in them."""
    if (root / path).is_file():
        return [_file_of_code(root, path, then)], ""
    old = ran.folder_then(root, then, cache)
    if old is None:
        return [], "which file is not known: it last ran elsewhere, or before such notes were kept"
    found = []
    for change in _files(old, dvc_files.folder_files(root, path)):
        whole = f"{path}/{change.name}"
        is_changed = change.change == "changed"
        found.append(
            _file_of_code(root, whole, old[change.name]) if is_changed else Difference(whole, change.change)
        )
    return found, ""


def _file_of_code(root: Path, path: str, then: str) -> Difference:
    before = ran.text_then(root, then)
    if before is None:
        return Difference(path, "changed")
    after = (root / path).read_text(encoding="utf-8")
    if not path.endswith(".py"):
        return Difference(path, "changed", tuple(_packages(before, after)))
    try:
        parts = changed_parts(before, after)
    except SyntaxError:
        return Difference(path, "changed: it is no valid Python")
    return Difference(
        path, "changed" if parts else "changed in comments, docstrings or layout only", tuple(parts)
    )


def _packages(before: str, after: str) -> list[str]:
    """Packages of a lock file whose version is another: "numpy 2.1.0 -> 2.2.0"."""
    old, new = (dict(_pins(text)) for text in (before, after))
    return [
        f"{name} {old.get(name, 'none')} -> {new.get(name, 'none')}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _pins(lock: str) -> Iterator[tuple[str, str]]:
    for line in lock.splitlines():
        name, is_pin, version = line.partition("==")
        if is_pin and not line.startswith((" ", "#")):
            yield name, version.split()[0]


def _made_data(root: Path, path: str, then: str, cache: Path) -> tuple[list[Difference], str]:
    """What differs in a file or folder that a stage made."""
    if (root / path).is_dir():
        old = ran.folder_then(root, then, cache)
        return ([], "") if old is None else (_files(old, dvc_files.folder_files(root, path)), "")
    kept = cache / then[:2] / then[2:]
    if not path.endswith(".csv") or not kept.is_file():
        return [], ""
    try:
        return list(rows_that_differ(kept, root / path)), ""
    except BadDataError:  # a table of something else than clips
        return [], ""


def _files(old: dict[str, str], new: dict[str, str]) -> list[Difference]:
    added = [Difference(name, "added") for name in sorted(new.keys() - old.keys())]
    removed = [Difference(name, "removed") for name in sorted(old.keys() - new.keys())]
    changed = [
        Difference(name, "changed") for name in sorted(old.keys() & new.keys()) if old[name] != new[name]
    ]
    return [*added, *removed, *changed]


def rows_that_differ(before: Path, after: Path) -> Iterator[Difference]:
    """Clips whose rows differ between two tables, each with the columns if it has but one row."""
    old, new = (_rows_by_clip(path) for path in (before, after))
    for clip_id in sorted(old.keys() | new.keys()):
        if clip_id not in old or clip_id not in new:
            yield Difference(clip_id, "added" if clip_id in new else "removed")
        elif old[clip_id] != new[clip_id]:
            yield Difference(clip_id, "changed", tuple(_columns(old[clip_id], new[clip_id])))


def _columns(old: list[dict[str, str]], new: list[dict[str, str]]) -> Iterator[str]:
    """What differs in a clip's only row: "holdout train -> test"; long values are not shown."""
    if len(old) == len(new) == 1 and old[0].keys() == new[0].keys():
        for name, then in old[0].items():
            now = new[0][name]
            if then != now:
                is_short = len(then) + len(now) <= SHORT
                yield one_line(f"{name} {then or 'none'} -> {now or 'none'}") if is_short else name


def _rows_by_clip(path: Path) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for row in read_csv(path, ("clip_id",)):
        found.setdefault(row["clip_id"], []).append(row)
    return found


def _clips(project: Project, name: str) -> dict[str, Any] | None:
    """How many clips a stage would make anew and how many it would find in the store, if it can be told."""
    stage, _, item = name.partition("@")
    if stage not in VERBS or (stage == "reshape" and project.params.views[item].height is None):
        return None
    try:
        clips = clips_ahead(project, look(project))
    except TailwatchError:  # its own cause names it
        return None
    is_kept = _keys(project.chain, stage, item)
    kept = sum(all(project.store.has(kind, key) for kind, key in is_kept(clip)) for clip in clips)
    return {"verb": VERBS[stage], "anew": len(clips) - kept, "reused": kept}


def _keys(chain: ClipChain, stage: str, view: str) -> Callable[[Clip], list[tuple[str, str]]]:
    """Kind and key of what a stage keeps of a clip."""
    settings = chain.settings

    def keys(clip: Clip) -> list[tuple[str, str]]:
        if stage == "extract":
            return [("frames", chain.keys.frames(clip, name)) for name in settings.frame_samplings()]
        if stage == "segment":
            return [("masks", chain.keys.masks(clip, name)) for name in settings.mask_samplings()]
        if stage == "featurize":
            of_views = [
                ("activations", chain.keys.activations(clip, name)) for name in settings.activation_views()
            ]
            return [("measurements", chain.keys.measurements(clip)), *of_views]
        return [("tensors", chain.keys.tensors(clip, view))]

    return keys
