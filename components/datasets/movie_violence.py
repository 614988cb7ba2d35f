"""Adapter `movie_violence`: a folder per class, whose files are of one container each.

Source: Bermejo Nievas, Deniz Suarez, Bueno García, Sukthankar, "Violence Detection in Video Using Computer
Vision Techniques", CAIP 2011, and its files: fights are avi, the others mpg.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from components.datasets.adapter import Adapter, NoOptions
from components.datasets.listing import Entry, Listing, of_classes, with_warning_of_sources
from components.datasets.names import names_of
from components.datasets.source import Source


def list_movie_violence(source: Source, wanted: tuple[str, ...], _: NoOptions) -> Listing:
    """List the clips of the classes that are asked for; the folder alone says the class."""
    names = names_of(source)
    found = [Entry(uri, PurePosixPath(uri).parent.name) for uri in names.videos]
    entries, others = of_classes(found, wanted)
    left_out = (*others, *names.no_videos, *names.flawed)
    listing = Listing(entries, left_out, _about_containers(entries))
    return with_warning_of_sources(listing, "the adapter csv takes a table that names them")


def _about_containers(entries: Iterable[Entry]) -> tuple[str, ...]:
    """A warning where a class has a container of its own: a model can learn the codec."""
    counts = Counter((PurePosixPath(entry.uri).suffix.lower(), entry.label) for entry in entries)
    labels_of: dict[str, list[str]] = {}
    for suffix, label in sorted(counts):
        labels_of.setdefault(suffix, []).append(label)
    if len(labels_of) < 2 or all(len(labels) > 1 for labels in labels_of.values()):
        return ()
    table = "; ".join(f"{suffix} {label}: {count}" for (suffix, label), count in sorted(counts.items()))
    return (f"the container tells the class, and a model may learn it instead of behaviour: {table}",)


ADAPTER = Adapter(
    "Movie Violence: a folder per class, such as fights and noFights, at any depth", list_movie_violence
)
