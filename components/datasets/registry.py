"""The data set layouts that can be read: each adapter is a function of (source, classes)."""

from collections.abc import Callable

from components.core.registry import Registry
from components.datasets.listing import Listing
from components.datasets.source import Source

Adapter = Callable[[Source, tuple[str, ...]], Listing]

ADAPTERS = Registry("adapter", {"folder": "components.datasets.folder:list_folder"})

_LAYOUTS = {"folder": "a folder per class; at the root, if wanted, clips.csv with clip, label, source, split"}


def describe_adapters() -> list[dict[str, str]]:
    """The adapters and the layout that each reads."""
    return [{"adapter": name, "layout": _LAYOUTS[name]} for name in ADAPTERS.names()]
