"""What an adapter finds in a data set, before any clip is opened."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """One clip under one label, as the data set says.

    Attributes:
        uri: of the video, from the data set's root.
        source: what it was cut from; empty when the data set does not say.
        split: train, val or test; empty when the data set does not say.
    """

    uri: str
    label: str
    source: str = ""
    split: str = ""


@dataclass(frozen=True)
class Listing:
    """All clips of a data set.

    Attributes:
        entries: sorted by uri, then label.
        left_out: (what, why) of everything that was found and is not used.
        warnings: what a person should know.
    """

    entries: tuple[Entry, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = field(default=())
