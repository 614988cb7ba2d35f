"""Layouts of a folder per class with metadata.csv beside them, which says what clips were cut from."""

from collections import Counter
from collections.abc import Callable
from pathlib import PurePosixPath

from components.core.errors import BadDataError
from components.core.tables import read_csv
from components.datasets.listing import Entry, Listing, in_order, of_classes, with_warning_of_sources
from components.datasets.names import Names, names_of, some, unread
from components.datasets.source import Source

TABLE = "metadata.csv"
Rows = dict[str, dict[str, str]]  # by clip_id


def list_with_metadata(
    source: Source, wanted: tuple[str, ...], column: str, otherwise: Callable[[str], str]
) -> Listing:
    """List the clips of the classes that are asked for.

    The folder is the class; where the table gives another, the clip stands under both, which is for ingest
    to refuse or to set aside.

    Args:
        column: of the table, with what a clip was cut from.
        otherwise: gives the same from a clip's name, where the table does not; empty: not known.

    Raises:
        BadDataError: a table without clip_id, with a clip_id that several files answer to, or with two rows
            for one clip.
    """
    names = names_of(source)
    rows = _rows(source, names)
    folders = [(uri, PurePosixPath(uri).parent.name) for uri in names.videos]
    entries, others = of_classes((Entry(uri, folder) for uri, folder in folders), wanted)
    told: list[Entry] = []
    for entry in entries:
        row = _row(rows, entry.uri)
        group = (row.get(column) or "").strip() or otherwise(PurePosixPath(entry.uri).stem)
        labels = {entry.label, (row.get("label") or "").strip() or entry.label}
        told += [Entry(entry.uri, label, group) for label in labels]
    idle = sorted(set(rows) - {name for uri in names.videos for name in _names_of_clip(uri)})
    warnings = (f"{TABLE}: no clip has the clip_id {some(idle, 5)}",) if idle else ()
    rest = unread(names.no_videos, (names.named(TABLE) or "",))
    listing = Listing(in_order(told), (*others, *rest, *names.flawed), warnings)
    return with_warning_of_sources(listing, f"fill the column {column} of {TABLE}")


def _rows(source: Source, names: Names) -> Rows:
    table = names.named(TABLE)
    found = read_csv(source.local(table), ("clip_id",)) if table else []
    rows = [((row["clip_id"] or "").strip(), row) for row in found]
    times = Counter(clip_id for clip_id, _ in rows)
    fitting = Counter(name for uri in names.videos for name in set(_names_of_clip(uri)))
    vague = [clip_id for clip_id in times if fitting[clip_id] > 1]
    if vague:
        raise BadDataError(
            f"{TABLE}: {some(vague)} is the name of several files",
            wanted="a clip_id that is one file's name, with or without its ending, or its path",
            remedy=f"write the path from the data set's root, such as {_example(names, vague[0])}",
        )
    twice = [clip_id for clip_id, count in times.items() if count > 1]
    if twice:
        raise BadDataError(
            f"{TABLE}: {some(twice)} has two rows", wanted="one row for a clip", remedy=f"correct {TABLE}"
        )
    return dict(rows)


def _example(names: Names, clip_id: str) -> str:
    return some(uri for uri in names.videos if clip_id in _names_of_clip(uri))


def _row(rows: Rows, uri: str) -> dict[str, str]:
    return next((rows[name] for name in _names_of_clip(uri) if name in rows), {})


def _names_of_clip(uri: str) -> tuple[str, str, str]:
    """What a row may call a clip, the plainest first."""
    path = PurePosixPath(uri)
    return uri, path.name, path.stem
