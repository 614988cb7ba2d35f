"""Adapter `csv`: a table that says of every clip its label and, if it likes, its source, split and span."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import PurePosixPath

from components.core.errors import BadDataError
from components.core.tables import read_csv
from components.datasets.adapter import Adapter
from components.datasets.listing import Entry, Listing, in_order, with_warning_of_sources
from components.datasets.names import Names, names_of, some
from components.datasets.rates import check_rate, exact_rate
from components.datasets.source import Source
from components.video.sequence import sequences_among

TABLE = "clips.csv"
_NEEDED = ("clip", "label")
_READ = (*_NEEDED, "source", "split", "start_s", "end_s")


@dataclass(frozen=True)
class CsvOptions:
    """What may be chosen of a table.

    Attributes:
        table: its uri.
        fps: frames a second of rows that name a folder of frames, or a clip's frames with one `*`.
    """

    table: str = TABLE
    fps: float | None = None

    def __post_init__(self) -> None:
        if self.fps is not None:
            check_rate(self.fps)


def list_table(source: Source, _: tuple[str, ...], options: CsvOptions) -> Listing:
    """List the clips that a table names; videos that it does not name are left out and reported.

    Raises:
        BadDataError: a table that is not there, cannot be read, names files that are not there, or lacks
            a label.
    """
    return clips_of_table(source, names_of(source), options.table, options.fps)


def clips_of_table(source: Source, names: Names, table: str, fps: float | None = None) -> Listing:
    """The same, in a data set that is listed already."""
    flaws = dict(names.flawed)
    if table in flaws:
        raise BadDataError(f"{table}: {flaws[table]}", wanted="a table", remedy="mend or remove it")
    rows = read_csv(source.local(table), _NEEDED)
    nameless = [f"row {number}" for number, row in enumerate(rows, 1) if not (row["clip"] or "").strip()]
    _refuse(table, nameless, "below the heads of the columns names no clip", "a clip in every row")
    known = set(names.uris)
    frames = (sequences_among(names.uris) if fps is not None else set()) - known
    rate = "" if fps is None else exact_rate(fps)
    found = (_entry(table, row) for row in rows)
    entries = in_order(
        {
            replace(entry, rate=rate) if entry.uri in frames else entry
            for entry in found
            if entry.uri not in flaws
        }
    )
    absent = [entry.uri for entry in entries if entry.uri not in known | frames]
    _refuse(
        table, absent, "is not there", "a file for every row, or a folder of frames and dataset.options.fps"
    )
    unlabelled = [entry.clip_id for entry in entries if not entry.label]
    _refuse(table, unlabelled, "has no label", "a label in every row")
    twice = Counter((entry.clip_id, entry.label) for entry in entries)
    doubled = [clip_id for (clip_id, _), count in twice.items() if count > 1]
    _refuse(table, doubled, "has two sources or splits", "one row for a clip")
    named = {entry.uri for entry in entries}
    rest = ((uri, f"not named in {table}") for uri in names.videos if uri not in named)
    listing = Listing(entries, (*rest, *names.flawed), _about_columns(table, rows))
    return with_warning_of_sources(listing, f"add a `source` column to {table}")


def _about_columns(table: str, rows: list[dict[str, str]]) -> tuple[str, ...]:
    """A warning where the table has columns that nothing reads."""
    unused = [name for name in (rows[0] if rows else ()) if name and name not in _READ]
    return (f"{table}: these columns are not used: {some(unused, len(unused))}",) if unused else ()


def _entry(table: str, row: dict[str, str]) -> Entry:
    uri = str(PurePosixPath(row["clip"]))
    start_s, end_s = (_seconds(table, uri, name, row.get(name)) for name in ("start_s", "end_s"))
    if end_s is not None and end_s <= (start_s or 0.0):
        _refuse(table, [uri], f"ends at {end_s:g} s, not behind its start", "start_s below end_s")
    label, source, split = ((row.get(name) or "").strip() for name in ("label", "source", "split"))
    return Entry(uri, label, source, split, start_s, end_s)


def _seconds(table: str, uri: str, name: str, text: str | None) -> float | None:
    if not (text or "").strip():
        return None
    try:
        seconds = float(text or "")
    except ValueError:
        seconds = -1.0
    if not (isfinite(seconds) and seconds >= 0):
        _refuse(table, [uri], f"has the {name} {text!a}", "seconds from 0 on, or nothing")
    return seconds


def _refuse(table: str, what: Iterable[str], wrong: str, wanted: str) -> None:
    what = list(what)
    if what:
        raise BadDataError(
            f"{table}: {some(what)} {wrong}", wanted=wanted, remedy=f"correct {table} in the data set"
        )


ADAPTER = Adapter(
    "a table with clip, label and, if wanted, source, split, start_s, end_s (seconds)", list_table, CsvOptions
)
