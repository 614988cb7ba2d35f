"""The data set as it lies there now, against what ingest saw of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from components.core.errors import TailwatchError
from components.datasets.clips import Clip
from components.datasets.digests import DigestCache
from components.datasets.listing import Entry
from components.datasets.registry import ADAPTERS
from components.datasets.source import LocalSource, open_root
from pipelines.artifacts import Project, read_clips, read_labels
from pipelines.ingest import source_group


@dataclass(frozen=True)
class DataSet:
    """What an adapter finds now.

    Attributes:
        entries: by uri; of one that stands under several labels, the last.
        sha256: of the bytes, by uri; empty for a data set elsewhere, which is not fetched to be looked at.
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
    source = open_root(project.dataset_root, project.state("clips"))
    listing = ADAPTERS.get(project.params.dataset.adapter)(source, project.params.dataset.classes)
    entries = {entry.uri: entry for entry in listing.entries}
    if not isinstance(source, LocalSource):
        return DataSet(entries, {})
    digests = DigestCache(project.state("digests.json"))
    return DataSet(entries, {uri: digests.sha256(source.local(uri)) for uri in entries})


def differences(project: Project, now: DataSet) -> list[Difference]:
    """Clips that came, went or changed since ingest, and labels and sources that were corrected.

    Raises:
        BadDataError: ingest's tables are not there.
    """
    labels, clips = read_labels(project), {clip.uri: clip for clip in read_clips(project)}
    found = [Difference(uri, "added") for uri in now.entries if uri not in labels]
    for uri, label in labels.items():
        entry = now.entries.get(uri)
        if entry is None:
            found.append(Difference(uri, "removed"))
            continue
        if uri in clips and now.sha256.get(uri, clips[uri].sha256) != clips[uri].sha256:
            found.append(Difference(uri, "changed"))
        if entry.label != label.label:
            found.append(Difference(uri, f"label {label.label} -> {entry.label}"))
        if source_group(entry) != label.source:
            found.append(Difference(uri, f"source {label.source} -> {source_group(entry)}"))
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
    known = {clip.uri: clip for clip in read_clips(project)}
    if not now.sha256:
        return [clip for uri, clip in known.items() if uri in now.entries]
    aside = set(read_labels(project)) - set(known)
    return [
        replace(known[uri], sha256=sha256)
        if uri in known
        else Clip(uri, uri, None, None, sha256, 0, project.params.dataset.adapter)
        for uri, sha256 in now.sha256.items()
        if uri not in aside
    ]
