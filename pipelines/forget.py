"""forget: remove the traces of clips from everything that this project made of them.

The user's own files are never touched: a clip must be gone from the data set first. Derived files that hold
a clip are removed whole, and `dvc repro` makes them again without it; the store and MLflow lose what is of
the clip alone. Models are named, not removed: whoever answers for them retrains or retires them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from components.core import system
from components.core.errors import BadDataError, UsageError, without_secret
from components.core.files import digest, read_json, write_json
from components.core.scratch import remove_abandoned
from components.core.settings import to_dict
from components.datasets.names import VIDEO_SUFFIXES
from components.datasets.source import open_root
from components.serving.score_log import drop_lines, scores_place
from components.tracking.store import DATABASE, TrackingStore, open_store
from components.tracking.traces import Names, RunTraces, Trace, scrub
from pipelines.artifacts import STATE_FOLDER, Project
from pipelines.cards.markdown import without_rows
from pipelines.clip_names import ClipNames
from pipelines.clips_known import FORGOTTEN, KnownClips, earlier_reports, known_clips
from pipelines.data_set import look
from pipelines.dvc_state import DvcState
from pipelines.learned import learned_from
from pipelines.retraining.kept import kept_by_retrainings, no_task_at_work
from pipelines.running import all_alone
from pipelines.stage_graph import stage_names
from pipelines.traces import caches_of, local_traces, score_lines

Found = TypeVar("Found")

_NOT_OURS = (".git", ".venv")
SHOWN = 10  # of a list of what keeps from forgetting


@dataclass(frozen=True)
class Plan:
    """What there is of the clips, and what it was used for.

    Attributes:
        clips: clip_id to the SHA-256 of what it held.
        sources: source groups that were asked for, with their clips.
        paths: files and folders to be removed, by what they are; relative ones from the project's folder.
        scores: how many lines there are of what was scored, by file, which keeps its other lines.
        store: kind and key of objects.
        runs: places in MLflow.
        learned: models that had learned from the clips, or were judged on them.
        out_of_reach: where more may lie.
        left: after removal, files that still name a clip.
    """

    clips: dict[str, list[str]]
    sources: dict[str, list[str]]
    paths: dict[str, list[str]]
    scores: dict[str, int]
    store: list[tuple[str, str]]
    runs: list[Trace]
    learned: list[dict[str, Any]]
    out_of_reach: list[str]
    left: tuple[str, ...] = ()
    done: bool = False

    @property
    def names(self) -> ClipNames:
        """Recognises the clips."""
        return ClipNames(self.clips)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not (any(self.paths.values()) or self.scores or self.store or self.runs)


def plan(project: Project, clip_ids: Sequence[str], sources: Sequence[str]) -> Plan:
    """Find every trace; nothing is changed.

    Raises:
        UsageError: nothing is known of a clip or source.
        BadDataError: a clip still is in the data set.
        StorageError: MLflow, the store or the data set does not answer.
    """
    dvc = DvcState(project.root)
    known = _known(project, dvc, clip_ids, sources)
    wanted = _wanted(known, clip_ids, sources)
    clips = {clip_id: sorted(known.digests.get(clip_id, ())) for clip_id in wanted}
    _check_gone(project, clips)
    names = ClipNames(clips)
    digests = {found for known_digests in clips.values() for found in known_digests}
    traces = _open_runs(project, names, sources)
    runs = traces.runs() if traces else []
    return Plan(
        clips=clips,
        sources={source: sorted(known.sources[source]) for source in sources},
        paths=local_traces(project, dvc, names, digests),
        scores=score_lines(project, names),
        store=list(project.store.made_from(digests)) if digests else [],
        runs=[found for run in runs for found in traces.find(run)] if traces else [],
        learned=learned_from(project, traces, runs, known, set(clips)),
        out_of_reach=_out_of_reach(project, dvc, clips),
    )


def carry_out(project: Project, found: Plan) -> Path:
    """Remove what was found; the report, which alone names the clips afterwards.

    The report is there first, so that an interrupted command can be given again.

    Raises:
        StorageError: DVC, a stage or a retraining's task is at work, or MLflow or the store does not answer.
    """
    path = project.state(FORGOTTEN, f"{digest(sorted(found.clips))[:16]}.json")
    stages = stage_names(project.root, project.params)
    with (
        DvcState(project.root).alone(),
        all_alone(project.root, stages),
        no_task_at_work(project.root),
    ):
        told = _with_earlier(path, found)
        paths = found.paths if _is_done(path) else told.paths
        _write(path, told)
        store = open_store(project.root)
        if found.runs:
            traces = RunTraces(store, found.names, partial(_without_sources, found.sources))
            for trace in found.runs:
                traces.remove(trace)
        for kind, key in found.store:
            project.store.remove(kind, key)
        remove_abandoned()
        for file in found.scores:
            drop_lines(project.root / file, found.names)
        for one in (one for ones in paths.values() for one in ones):
            system.remove(project.root / one)
        if (database := _database(project, store)) is not None:
            scrub(database)
    _write(path, replace(told, left=tuple(_left(project, found.names)), done=True))
    return path


def is_over(project: Project, found: Plan) -> bool:
    """Whether there is nothing to remove, and nothing that an earlier command on these clips left undone."""
    earlier = (report for report in earlier_reports(project) if report["clips"].keys() & found.clips.keys())
    return found.is_empty and all(report["done"] and not report["left"] for report in earlier)


def _known(project: Project, dvc: DvcState, clip_ids: Sequence[str], sources: Sequence[str]) -> KnownClips:
    """What the folder remembers and, if that is not enough, what MLflow does."""
    caches = caches_of(dvc, kept_by_retrainings(project.root))
    known = known_clips(project, [cache.objects for cache in caches])
    if known.digests.keys() >= {*clip_ids} and known.sources.keys() >= {*sources}:
        return known
    if traces := _open_runs(project, lambda _: False):
        for run in traces.runs():
            known.add(traces.predictions(run) or ())
    return known


def _wanted(known: KnownClips, clip_ids: Sequence[str], sources: Sequence[str]) -> list[str]:
    if not (clip_ids or sources):
        raise UsageError(
            "No clip is named", wanted="--clip or --source", remedy="name what is to be forgotten"
        )
    unknown = [source for source in sources if source not in known.sources]
    if unknown:
        raise UsageError(
            f"No clip of the source {unknown[0]} is known here",
            wanted=f"one of {', '.join(sorted(known.sources)[:SHOWN]) or 'none'}",
            remedy="correct its name, or name the clips with --clip",
        )
    strangers = [clip_id for clip_id in clip_ids if clip_id not in known.digests]
    if strangers:
        raise UsageError(
            f"Nothing is known of the clip {ascii(strangers[0])[1:-1]}",
            wanted="a clip_id as outs/ingest/labels.csv has it, such as stalking/walk-07.mp4",
            remedy="correct it",
        )
    of_sources = (clip_id for source in sources for clip_id in known.sources[source])
    return sorted({*clip_ids, *of_sources})


def _check_gone(project: Project, clips: dict[str, list[str]]) -> None:
    """Refuse while the next run would bring a clip back.

    Raises:
        BadDataError: a file or its copy is there, or the table still names it.
    """
    source = open_root(project.dataset_root, project.state("clips"))
    listed = {*source.list(), *source.left_out()}
    digests = {found for known in clips.values() for found in known}
    still = {clip_id for clip_id in clips if clip_id in listed}
    if not still:
        now = look(project)
        still = {uri for uri in now.entries if uri in clips or now.sha256.get(uri) in digests}
    if still:
        named = ", ".join(ascii(uri)[1:-1] for uri in sorted(still)[:SHOWN])
        raise BadDataError(
            f"Still in the data set, as clip or copy: {named}",
            wanted="clips that are gone from it, else the next `dvc repro` brings them back",
            remedy=f"remove these files yourself, and their rows in clips.csv, from {project.dataset_root}; "
            "then run this again",
        )


def _open_runs(project: Project, names: Names, sources: Iterable[str] = ()) -> RunTraces | None:
    """MLflow's runs; None where this project never wrote any."""
    store = open_store(project.root)
    database = _database(project, store)
    if database is not None and not database.is_file():
        return None
    return RunTraces(store, names, partial(_without_sources, sources))


def _without_sources(sources: Iterable[str], page: bytes) -> bytes:
    """A card names the sources that a model does worst on."""
    text = page.decode(errors="surrogateescape")
    return without_rows(text, "source", sources).encode(errors="surrogateescape")


def _database(project: Project, store: TrackingStore) -> Path | None:
    """The SQLite file of the tracking store; None for a server."""
    if not store.uri.startswith("sqlite:"):
        return None
    return Path(store.uri.removeprefix("sqlite:///") or project.root / DATABASE)


def _out_of_reach(project: Project, dvc: DvcState, clips: dict[str, list[str]]) -> list[str]:
    remotes = [
        f"DVC's remote {name} ({without_secret(url)}): remove the objects that are listed here from it, "
        "or `dvc gc --cloud`"
        for name, url in dvc.remotes().items()
    ]
    unknown = [clip_id for clip_id, digests in clips.items() if not digests]
    without = [f"objects of {name} in the store, and its scores: its digest is not known" for name in unknown]
    scores = scores_place(project.root) or ""
    return [
        *remotes,
        *kept_by_retrainings(project.root).beyond,
        *([f"TAILWATCH_SCORES ({without_secret(scores)}): what was scored there"] if "://" in scores else []),
        *without,
        "git's history, if tables of clips were ever committed",
        "backups, and copies of reports, videos and models that people took",
    ]


def _with_earlier(path: Path, found: Plan) -> Plan:
    """What an interrupted command had found and is gone by now stays in the report."""
    if not path.is_file():
        return found
    earlier = read_json(path)
    paths = {
        kind: sorted({*found.paths.get(kind, ()), *earlier["paths"].get(kind, ())})
        for kind in {*found.paths, *earlier["paths"]}
    }
    return replace(
        found,
        paths=paths,
        scores={**earlier.get("scores", {}), **found.scores},
        store=_joined(found.store, ((kind, key) for kind, key in earlier["store"])),
        runs=_joined(found.runs, (Trace(**one) for one in earlier["runs"])),
        learned=_joined(found.learned, earlier["learned"]),
    )


def _joined(found: list[Found], earlier: Iterable[Found]) -> list[Found]:
    return [*found, *(one for one in earlier if one not in found)]


def _is_done(path: Path) -> bool:
    return path.is_file() and bool(read_json(path)["done"])


def _write(path: Path, found: Plan) -> None:
    write_json(path, {**to_dict(found), "at": system.utc_now().isoformat(timespec="seconds")})


def _left(project: Project, names: ClipNames) -> Iterator[str]:
    """Files of the project's folder that name a clip after all; the reports of what was forgotten do."""
    root = project.root
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        is_report = inside.parts[:2] == (STATE_FOLDER, FORGOTTEN)
        if path.is_dir() or inside.parts[0].startswith(_NOT_OURS) or is_report:
            continue
        is_video = path.suffix.lower() in VIDEO_SUFFIXES
        if names(str(inside).encode(errors="surrogateescape")) or (not is_video and names.in_file(path)):
            yield str(inside)
