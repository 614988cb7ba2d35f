"""What is wrong with a data set, as far as a first look at every clip tells; nothing of it is fatal here."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.core.errors import BadDataError
from components.datasets.catalogue import build_catalogue
from components.datasets.digests import DigestCache
from components.datasets.inspection import Inspection, inspect_all
from components.datasets.listing import Entry, Listing
from components.datasets.names import LeftOut
from components.datasets.source import Source
from components.store.store import Store
from components.video.probe import NO_FRAME, NO_FRAMES

UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Validation:
    """What a data set holds, and what is wrong with it.

    Attributes:
        clips: how many are listed.
        sources: of how many films, cameras or long videos.
        classes: clips by label, and in it by the data set's own class.
        containers: clips by the file's container, and in it by label.
        missing: what the data set's own lists name and is not there.
        gone: files that were listed, and went before they were looked at.
        mislabelled: contents under several labels, and labels that are no class, as text.
        unreadable: (clip_id, why).
        zero_frame: clips in which no frame can be decoded.
        duplicates: clips of equal bytes and span.
        left_out: (what, why) of what was found and is not listed.
        warnings: what the adapter says.
    """

    clips: int
    sources: int
    classes: dict[str, dict[str, int]]
    containers: dict[str, dict[str, int]]
    missing: tuple[str, ...]
    gone: tuple[str, ...]
    mislabelled: tuple[str, ...]
    unreadable: LeftOut
    zero_frame: tuple[str, ...]
    duplicates: tuple[tuple[str, ...], ...]
    left_out: LeftOut
    warnings: tuple[str, ...]


def validate(
    source: Source, listing: Listing, classes: Sequence[str], digests: DigestCache, store: Store
) -> Validation:
    """Look at every clip that an adapter listed.

    Args:
        source: where the clips lie.
        classes: labels in use.
        digests: remembers the digests of files.
        store: remembers the looks.

    Raises:
        StorageError: a remote data set that does not answer.
    """
    files, gone = _files(source, listing.entries)
    sha256_of = {uri: digests.sha256(path) for uri, path in files.items()}
    digests.save()
    looks = inspect_all(store, {sha256_of[uri]: path for uri, path in files.items()})
    seen = {uri: looks[sha256] for uri, sha256 in sha256_of.items()}
    there = [entry for entry in listing.entries if entry.uri in seen]
    bad = {entry.clip_id: seen[entry.uri].unreadable for entry in there if seen[entry.uri].unreadable}
    catalogue = build_catalogue(there, sha256_of, classes, drop_conflicts=True)
    strangers = (f"{entry.clip_id}: {entry.label}" for entry in there if entry.label not in classes)
    empty = {clip_id for clip_id, why in bad.items() if why in (NO_FRAME, NO_FRAMES)}
    return Validation(
        clips=len({entry.clip_id for entry in listing.entries}),
        sources=len({entry.group for entry in listing.entries}),
        classes=_counted((entry.label, entry.class_name or entry.label) for entry in listing.entries),
        containers=_counted((_container(seen[entry.uri]), entry.label) for entry in there),
        missing=listing.missing,
        gone=tuple(gone),
        mislabelled=(*catalogue.conflicts, *strangers),
        unreadable=tuple((clip_id, why) for clip_id, why in bad.items() if clip_id not in empty),
        zero_frame=tuple(sorted(empty)),
        duplicates=tuple((kept, *copies) for kept, copies in catalogue.duplicates),
        left_out=listing.left_out,
        warnings=listing.warnings,
    )


def _files(source: Source, entries: Iterable[Entry]) -> tuple[dict[str, Path], list[str]]:
    """The files by uri, and what went while it was looked at."""
    files, gone = {}, []
    for uri in dict.fromkeys(entry.uri for entry in entries):
        try:
            files[uri] = source.local(uri)
        except BadDataError:
            gone.append(uri)
    return files, gone


def _container(look: Inspection) -> str:
    return look.properties.get("container", UNREADABLE)


def _counted(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for outer, inner in pairs:
        counts[outer][inner] += 1
    return {outer: dict(sorted(inner.items())) for outer, inner in sorted(counts.items())}
