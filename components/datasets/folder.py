"""Adapter `folder`: a folder per class, or a table clips.csv at the root with label, source and split."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from components.core.errors import BadDataError
from components.core.tables import read_csv
from components.datasets.listing import Entry, Listing
from components.datasets.source import Source

TABLE = "clips.csv"
VIDEO_SUFFIXES = frozenset(
    [
        ".3g2",
        ".3gp",
        ".asf",
        ".avi",
        ".dv",
        ".flv",
        ".gif",
        ".m2ts",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".ogv",
        ".ts",
        ".webm",
        ".wmv",
    ]
)
_NEEDED = ("clip", "label")
_OPTIONAL = ("source", "split")


def list_folder(source: Source, classes: tuple[str, ...]) -> Listing:
    """List the clips of the classes in use.

    With clips.csv, the table alone says what is a clip; videos that it does not name are left out and
    reported. Without it, every video below a class's folder is a clip of that class. What is no file, or
    may not be read, is left out and reported either way.

    Raises:
        BadDataError: a table that cannot be read, names files that are not there, or gives no label.
    """
    found, flaws = source.list(), source.left_out()
    if TABLE in flaws:
        raise BadDataError(f"{TABLE}: {flaws[TABLE]}", wanted="a table, or none", remedy="mend or remove it")
    uris = [uri for uri in found if _is_text(uri)]
    listing = _from_table(source, uris, flaws) if TABLE in uris else _from_folders(uris, classes)
    nameless = tuple((ascii(uri)[1:-1], "its name is not UTF-8") for uri in found if not _is_text(uri))
    flawed = tuple((uri if _is_text(uri) else ascii(uri)[1:-1], flaw) for uri, flaw in flaws.items())
    return _with_warnings(replace(listing, left_out=(*listing.left_out, *nameless, *flawed)))


def _from_folders(uris: list[str], classes: tuple[str, ...]) -> Listing:
    entries: list[Entry] = []
    others: list[tuple[str, str]] = []
    strangers: Counter[str] = Counter()
    for uri in uris:
        parts = PurePosixPath(uri).parts
        if not _is_video(uri):
            others.append((uri, "not a video by its name"))
        elif len(parts) > 1 and parts[0] in classes:
            entries.append(Entry(uri, parts[0]))
        else:
            strangers[parts[0] if len(parts) > 1 else "."] += 1
    unknown = [
        (f"{folder}/", f"{count} videos in a folder that is no class of dataset.classes")
        for folder, count in sorted(strangers.items())
    ]
    return Listing(tuple(entries), (*unknown, *others))


def _from_table(source: Source, uris: list[str], flaws: Mapping[str, str]) -> Listing:
    rows = read_csv(source.local(TABLE), _NEEDED)
    nameless = [f"row {number}" for number, row in enumerate(rows, 1) if not (row["clip"] or "").strip()]
    _refuse(nameless, "below the heads of the columns names no clip", "a clip in every row")
    known = set(uris)
    entries = sorted({entry for entry in map(_entry, rows) if entry.uri not in flaws}, key=_place)
    _refuse(
        [entry.uri for entry in entries if entry.uri not in known], "is not there", "a file for every row"
    )
    _refuse([entry.uri for entry in entries if not entry.label], "has no label", "a label in every row")
    twice = Counter((entry.uri, entry.label) for entry in entries)
    _refuse(
        [uri for (uri, _), rows in twice.items() if rows > 1],
        "has two sources or splits",
        "one row for a clip",
    )
    named = {entry.uri for entry in entries}
    rest = [(uri, f"not named in {TABLE}") for uri in uris if _is_video(uri) and uri not in named]
    return Listing(tuple(entries), tuple(rest), _about_columns(rows))


def _about_columns(rows: list[dict[str, str]]) -> tuple[str, ...]:
    """A warning where the table has columns that nothing reads."""
    unused = [name for name in (rows[0] if rows else ()) if name and name not in (*_NEEDED, *_OPTIONAL)]
    if not unused:
        return ()
    return (f"{TABLE}: these columns are not used: {', '.join(ascii(name)[1:-1] for name in unused)}",)


def _place(entry: Entry) -> tuple[str, str]:
    return entry.uri, entry.label


def _entry(row: dict[str, str]) -> Entry:
    optional = {name: (row.get(name) or "").strip() for name in _OPTIONAL}
    return Entry(str(PurePosixPath(row["clip"])), (row["label"] or "").strip(), **optional)


def _refuse(uris: list[str], wrong: str, wanted: str) -> None:
    if uris:
        shown = ", ".join(ascii(uri)[1:-1] for uri in uris[:10])
        more = f" and {len(uris) - 10} more" if len(uris) > 10 else ""
        raise BadDataError(
            f"{TABLE}: {shown}{more} {wrong}", wanted=wanted, remedy=f"correct {TABLE} in the data set"
        )


def _with_warnings(listing: Listing) -> Listing:
    without = sum(not entry.source for entry in listing.entries)
    if not without:
        return listing
    warning = (
        f"{without} of {len(listing.entries)} clips name no source: each is its own group, so clips of one "
        f"film or camera may lie on both sides of the split; add a `source` column to {TABLE}"
    )
    return replace(listing, warnings=(*listing.warnings, warning))


def _is_text(uri: str) -> bool:
    """Whether a name can be written into a table; file names are bytes, and some are no text."""
    return uri.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in uri)


def _is_video(uri: str) -> bool:
    return PurePosixPath(uri).suffix.lower() in VIDEO_SUFFIXES
