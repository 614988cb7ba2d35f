"""What every adapter is: a layout in words, what may be chosen of it, and the listing of its clips."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.datasets.listing import Listing
from components.datasets.source import Source


@dataclass(frozen=True)
class NoOptions:
    """Of a layout that leaves nothing to choose."""


@dataclass(frozen=True)
class Adapter:
    """One layout of data sets.

    Attributes:
        layout: which files it reads, for a person.
        list: gives the clips; takes the source, the classes that are asked for, and the options. The classes
            are those of the data set itself, not the labels that they are mapped to.
        options: the dataclass of what may be chosen.
    """

    layout: str
    list: Callable[[Source, tuple[str, ...], Any], Listing]
    options: type = NoOptions
