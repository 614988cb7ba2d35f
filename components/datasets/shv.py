"""Adapter `shv`: paper 001's data set, as it would lie on a disk; the address a clip came from is the source.

Source: paper 001, I: 300 videos from YouTube in two classes. No public copy was found, so the layout is ours.
"""

from components.datasets.adapter import Adapter, NoOptions
from components.datasets.listing import Listing
from components.datasets.metadata import list_with_metadata
from components.datasets.source import Source


def list_shv(source: Source, wanted: tuple[str, ...], _: NoOptions) -> Listing:
    """List the clips of the classes that are asked for."""
    return list_with_metadata(source, wanted, "source_url_hash", _nothing)


def _nothing(_: str) -> str:
    return ""


ADAPTER = Adapter(
    "SHV: a folder per class; metadata.csv, if wanted, with clip_id, label, source_url_hash", list_shv
)
