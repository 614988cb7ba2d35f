"""Adapter `stalking`: paper 000's data set, as it would lie on a disk; the film's title is the source.

Source: paper 000, III-A: 238 clips from films and series in two classes. No public copy was found, so the
layout is ours.
"""

from components.datasets.adapter import Adapter, NoOptions
from components.datasets.listing import Listing
from components.datasets.metadata import list_with_metadata
from components.datasets.source import Source


def list_stalking(source: Source, wanted: tuple[str, ...], _: NoOptions) -> Listing:
    """List the clips of the classes that are asked for."""
    return list_with_metadata(source, wanted, "source_title", _before_last_underscore)


def _before_last_underscore(stem: str) -> str:
    """The film of `film-3_07`: what stands before the last `_`; a name without one says nothing."""
    return stem.rpartition("_")[0]


ADAPTER = Adapter(
    "stalking: a folder per class; metadata.csv, if wanted, with clip_id, label, source_title", list_stalking
)
