"""The data set layouts that can be read."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from components.core.registry import Registry
from components.core.settings import parse
from components.datasets.adapter import Adapter
from components.datasets.listing import Listing, relabelled
from components.datasets.source import Source

ADAPTERS = Registry(
    "adapter",
    {
        "folder": "components.datasets.folder:ADAPTER",
        "csv": "components.datasets.csv_table:ADAPTER",
        "stalking": "components.datasets.stalking:ADAPTER",
        "shv": "components.datasets.shv:ADAPTER",
        "hockey_fight": "components.datasets.hockey_fight:ADAPTER",
        "movie_violence": "components.datasets.movie_violence:ADAPTER",
        "ucf50": "components.datasets.ucf50:ADAPTER",
        "ucf101": "components.datasets.ucf101:ADAPTER",
        "ucf_crime": "components.datasets.ucf_crime:ADAPTER",
        "ucf_crime_frames": "components.datasets.ucf_crime_frames:ADAPTER",
    },
)


def list_clips(
    source: Source,
    adapter: str,
    classes: Sequence[str],
    options: Mapping[str, Any] | None = None,
    label_map: Mapping[str, str] | None = None,
) -> Listing:
    """List the clips of a data set under the labels in use.

    Args:
        adapter: the name of its layout.
        classes: the labels.
        options: the adapter's own.
        label_map: the data set's class to the label, where they differ.

    Raises:
        UsageError: an adapter or an option that is not known.
        BadDataError: a data set that is not laid out so.
        StorageError: a remote data set that does not answer.
    """
    labels = label_map or {}
    chosen: Adapter = ADAPTERS.get(adapter)
    wanted = tuple(dict.fromkeys((*classes, *labels)))
    return relabelled(chosen.list(source, wanted, check_options(adapter, options)), labels)


def check_options(adapter: str, options: Mapping[str, Any] | None) -> Any:
    """An adapter's options as its own settings.

    Raises:
        UsageError: an adapter, an option or a value that is not known.
    """
    return parse(ADAPTERS.get(adapter).options, options, "dataset.options")


def describe_adapters() -> list[dict[str, str]]:
    """The adapters, the layout that each reads, and its options with what holds where they are not set."""
    adapters = ((name, ADAPTERS.get(name)) for name in ADAPTERS.names())
    return [
        {"adapter": name, "layout": adapter.layout, "options": _described(adapter.options)}
        for name, adapter in adapters
    ]


def _described(options: type) -> str:
    return ", ".join(f"{one.name}: {one.default}" for one in fields(options)) or "none"
