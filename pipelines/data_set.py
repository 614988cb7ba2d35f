"""The data set as it lies there now, against what ingest saw of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from components.core.errors import TailwatchError
from components.datasets.annotations import Intervals, intervals_s
from components.datasets.clips import Clip, Label
from components.datasets.digests import DigestCache
from components.datasets.inspection import known_rate
from components.datasets.listing import Entry
from components.datasets.source import LocalSource
from pipelines.artifacts import Project, read_clips, read_labels
from pipelines.listing import list_data_set


@dataclass(frozen=True)
class DataSet:
    """What an adapter finds now.

    Attributes:
        entries: by clip_id; of one that stands under several labels, the last.
        sha256: of the video's bytes, by clip_id; empty for a data set elsewhere, which is not
            fetched to be looked at.
    """

    entries: Mapping[str, Entry]
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """One thing that is another than it was.

    Attributes:
        name: a clip or a file.
        change: "added", "removed", "changed", or what changed in it.
        parts: functions or packages inside a file of code.
    """

    name: str
    change: str
    parts: tuple[str, ...] = ()


def look(project: Project) -> DataSet:
    """List the data set and digest its clips; digests that ingest remembers are not made again.

    Raises:
        UsageError: no data set at the root.
        BadDataError: a table that names files that are not there.
        StorageError: a remote data set that does not answer.
    """
    source, listing = list_data_set(project)
    entries = {entry.clip_id: entry for entry in listing.entries}
    if not isinstance(source, LocalSource):
        return DataSet(entries, {})
    digests = DigestCache(project.state("digests.json"))
    return DataSet(entries, {name: digests.sha256(source.local(one.uri)) for name, one in entries.items()})


def differences(project: Project, now: DataSet) -> list[Difference]:
    """Clips that came, went or changed since ingest, and labels, sources, sides and intervals corrected.

    Raises:
        BadDataError: ingest's tables are not there.
    """
    labels, clips = read_labels(project), {clip.clip_id: clip for clip in read_clips(project)}
    sides, intervals = _given_sides(project, now), _intervals(project, now)
    found = [Difference(clip_id, "added") for clip_id in now.entries if clip_id not in labels]
    for clip_id, label in labels.items():
        entry = now.entries.get(clip_id)
        if entry is None:
            found.append(Difference(clip_id, "removed"))
            continue
        if clip_id in clips and now.sha256.get(clip_id, clips[clip_id].sha256) != clips[clip_id].sha256:
            found.append(Difference(clip_id, "changed"))
        found += _corrected(label, entry, sides.get(clip_id, label.holdout))
        if clip_id in clips and intervals.get(clip_id, label.intervals) != label.intervals:
            found.append(Difference(clip_id, "its intervals changed"))
    return found


def _corrected(label: Label, entry: Entry, side: str) -> Iterator[Difference]:
    """What ingest wrote of a clip and the data set says otherwise; a clip that is set aside has no side."""
    told = (
        ("label", label.label, entry.label),
        ("source", label.source, entry.group),
        ("split", label.holdout, side if label.holdout else ""),
    )
    for name, then, now in told:
        if then != now:
            yield Difference(label.clip_id, f"{name} {then} -> {now}")


def _given_sides(project: Project, now: DataSet) -> dict[str, str]:
    """The sides that the data set itself gives, of the clips of which that is the last word.

    Where it gives no val, some of its train clips are val.
    """
    if project.params.split.strategy != "given":
        return {}
    given = {clip_id: entry.split for clip_id, entry in now.entries.items() if entry.split}
    whole = "val" in given.values()
    return {clip_id: side for clip_id, side in given.items() if whole or side != "train"}


def _intervals(project: Project, now: DataSet) -> dict[str, Intervals]:
    """Where clips show their label by the data set, in seconds; none of clips whose rate nobody remembers."""
    found = {}
    for clip_id, entry in now.entries.items():
        known = entry.intervals_frames and clip_id in now.sha256
        told = intervals_s(entry, known_rate(project.store, now.sha256[clip_id]) if known else None)
        if told is not None:
            found[clip_id] = told
    return found


def differences_in_words(project: Project) -> tuple[list[Difference], str]:
    """The same, and a note where it cannot be told, or lies in no clip."""
    try:
        found = differences(project, look(project))
    except TailwatchError as error:
        return [], str(error)
    note = "" if found else "no clip in use differs: another file in its folder does"
    return found, note


def clips_ahead(project: Project, now: DataSet) -> list[Clip]:
    """The clips that the stages after ingest will meet, as far as can be told before it ran.

    Raises:
        BadDataError: ingest's tables are not there.
    """
    known = {clip.clip_id: clip for clip in read_clips(project)}
    if not now.sha256:
        return [clip for clip_id, clip in known.items() if clip_id in now.entries]
    aside = set(read_labels(project)) - set(known)
    return [
        replace(known[clip_id], sha256=sha256)
        if clip_id in known
        else now.entries[clip_id].clip(sha256, 0, project.params.dataset.adapter)
        for clip_id, sha256 in now.sha256.items()
        if clip_id not in aside
    ]
