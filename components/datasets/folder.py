"""Adapter `folder`: a folder per class, or a table clips.csv at the root with label, source and split."""

from collections import Counter
from pathlib import PurePosixPath

from components.datasets.adapter import Adapter, NoOptions
from components.datasets.csv_table import TABLE, clips_of_table
from components.datasets.listing import Entry, Listing, in_order, with_warning_of_sources
from components.datasets.names import Names, names_of
from components.datasets.source import Source


def list_folder(source: Source, wanted: tuple[str, ...], _: NoOptions) -> Listing:
    """List the clips of the classes that are asked for.

    With clips.csv, the table alone says what is a clip; videos that it does not name are left out and
    reported. Without it, every video below a class's folder is a clip of that class. What is no file, or
    may not be read, is left out and reported either way.

    Raises:
        BadDataError: a table that cannot be read, names files that are not there, or gives no label.
    """
    names = names_of(source)
    if TABLE in names.uris or TABLE in dict(names.flawed):
        return clips_of_table(source, names, TABLE)
    return with_warning_of_sources(_from_folders(names, wanted), f"add a `source` column to {TABLE}")


def _from_folders(names: Names, wanted: tuple[str, ...]) -> Listing:
    entries: list[Entry] = []
    strangers: Counter[str] = Counter()
    for uri in names.videos:
        parts = PurePosixPath(uri).parts
        if len(parts) > 1 and parts[0] in wanted:
            entries.append(Entry(uri, parts[0]))
        else:
            strangers[parts[0] if len(parts) > 1 else "."] += 1
    unknown = [
        (f"{folder}/", f"{count} videos in a folder that is no class of dataset.classes")
        for folder, count in sorted(strangers.items())
    ]
    return Listing(in_order(entries), (*unknown, *names.no_videos, *names.flawed))


ADAPTER = Adapter(
    "a folder per class; at the root, if wanted, clips.csv with clip, label, source, split, start_s, end_s",
    list_folder,
)
